// leftover: zombie=2(warning)@forked zombie=1(warning)@spawned zombie=1(warning)@piped
// leftover waited: nothing
// leftover ignored: nothing
// leftover left: process=1@forked
#include <assert.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

// Waits for its end, and leaves it to be waited for.
static void let_end(id_t child) {
    siginfo_t info;
    waitid(P_PID, child, &info, WEXITED | WNOWAIT);
}

static pid_t forked(int status) {
    const pid_t child = fork();
    assert(child >= 0);
    if (child == 0) {
        if (status < 0) pause();
        _exit(status);
    }
    return child;
}

static pid_t spawned(void) {
    pid_t child;
    char* arguments[] = {"true", NULL};
    assert(posix_spawn(&child, "/bin/true", NULL, NULL, arguments, environ) == 0);
    return child;
}

static void piped(void) {
    siginfo_t info;
    assert(popen("exit 3", "r") != NULL);
    // Any child that can be waited for: the others are waited for already.
    waitid(P_ALL, 0, &info, WEXITED | WNOWAIT);
}

int main(int count, char** arguments) {
    const char* how = count > 1 ? arguments[1] : "";
    if (strcmp(how, "left") == 0) {
        forked(-1);
    } else if (strcmp(how, "waited") == 0) {
        assert(waitpid(forked(1), NULL, 0) > 0);
        assert(waitpid(spawned(), NULL, 0) > 0);
    } else if (strcmp(how, "ignored") == 0) {
        signal(SIGCHLD, SIG_IGN);
        for (int i = 0; i < 3; ++i) forked(0);
        while (wait(NULL) > 0) {
        }
    } else {
        piped();
        let_end((id_t)forked(0));
        let_end((id_t)forked(7));
        let_end((id_t)spawned());
    }
    puts("done");
    return 0;
}
