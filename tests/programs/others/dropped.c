// Becomes nobody, in each way that programs do it, and runs others as that.
#define _GNU_SOURCE
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void run(const char* what) {
    printf("%s: uid %d, effective %d\n", what, (int)getuid(), (int)geteuid());
    fflush(stdout);
    if (system("echo shell $(id -u) $(id -ru); exit 7") != 7 << 8) puts("system failed");
    fflush(stdout);
}

int main(void) {
    if (fork() == 0) {
        if (seteuid(65534) != 0) return 1;
        run("effective only");
        return 0;
    }
    wait(NULL);
    if (fork() == 0) {
        if (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0) return 1;
        run("for good");
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        execl("/usr/bin/env", "env", "-i", "sh", "-c", "echo and again $(id -u)", (char*)NULL);
        return 1;
    }
    int status = -1;
    wait(&status);
    return WEXITSTATUS(status) + 50;
}
