// What a program sees of a limit on its session's processes: `limits WAY COUNT` makes COUNT children that
// stay, by that call, and prints how many it got and the error of the others; `limits burst COUNT` forks
// them from as many threads at once; `limits kill COUNT` kills each batch by SIGKILL and makes the next.
#include <errno.h>
#include <pthread.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

enum { most = 256 };
static pid_t children[most];
static int errors[most];
static const char* way;
static char stack[65536];

static int sleep_there(void* nothing) {
    (void)nothing;
    for (;;) pause();
}

static pid_t make(void) {
    pid_t pid = -1;
    if (strcmp(way, "fork") == 0 || strcmp(way, "burst") == 0 || strcmp(way, "kill") == 0) {
        pid = fork();
        if (pid == 0) sleep_there(NULL);
    } else if (strcmp(way, "_Fork") == 0) {
        pid = _Fork();
        if (pid == 0) sleep_there(NULL);
    } else if (strcmp(way, "vfork") == 0) {
        pid = vfork();
        if (pid == 0) {
            execlp("sleep", "sleep", "1000", (char*)NULL);
            _exit(127);
        }
    } else if (strcmp(way, "forkpty") == 0) {
        int master;
        pid = forkpty(&master, NULL, NULL, NULL);
        if (pid == 0) sleep_there(NULL);
    } else if (strcmp(way, "clone") == 0) {
        pid = clone(sleep_there, stack + sizeof stack, SIGCHLD, NULL);
    } else if (strcmp(way, "posix_spawn") == 0) {
        char* arguments[] = {"sleep", "1000", NULL};
        errno = posix_spawnp(&pid, "sleep", NULL, NULL, arguments, environ);
        if (errno != 0) pid = -1;
    } else if (strcmp(way, "popen") == 0) {
        pid = popen("exec sleep 1000 2>/dev/null", "r") == NULL ? -1 : 1;
    }
    return pid;
}

static void* make_one(void* at) {
    children[(long)at] = make();
    errors[(long)at] = errno;
    return NULL;
}

static int made(int count, int* error) {
    int got = 0;
    for (int i = 0; i < count; ++i) {
        if (children[i] > 0) {
            ++got;
        } else {
            *error = errors[i];
        }
    }
    return got;
}

int main(int argc, char** argv) {
    const int count = argc > 2 ? atoi(argv[2]) : 0;
    if (count < 1 || count > most) return 2;
    way = argv[1];
    int error = 0;
    if (strcmp(way, "system") == 0) {
        // The shell itself is one, and what it starts another.
        const int status = system("sleep 0.01; sleep 0.01");
        printf("%d %s\n", status, status == -1 ? strerrorname_np(errno) : "-");
        return 0;
    }
    for (int round = 0; round < (strcmp(way, "kill") == 0 ? 20 : 1); ++round) {
        pthread_t threads[most];
        if (strcmp(way, "burst") == 0) {
            for (long i = 0; i < count; ++i) pthread_create(&threads[i], NULL, make_one, (void*)i);
            for (int i = 0; i < count; ++i) pthread_join(threads[i], NULL);
        } else {
            for (long i = 0; i < count; ++i) make_one((void*)i);
        }
        const int got = made(count, &error);
        printf("%d %s\n", got, error == 0 ? "-" : strerrorname_np(error));
        fflush(stdout);
        if (strcmp(way, "kill") == 0) {
            // They stay zombies until the next batch is there.
            static pid_t before[most];
            for (int i = 0; i < count; ++i) {
                if (children[i] > 0) kill(children[i], SIGKILL);
                siginfo_t info;
                if (children[i] > 0) waitid(P_PID, (id_t)children[i], &info, WEXITED | WNOWAIT);
                if (before[i] > 0) waitpid(before[i], NULL, 0);
                before[i] = children[i];
            }
        }
    }
    if (argc > 3) pause();
    for (int i = 0; i < count; ++i) {
        if (children[i] > 1) kill(children[i], SIGKILL);
    }
    return 0;
}
