// Processes that leave things behind, in the way that the first argument names. Every process
// prints "NAME PID" and works in files of the working folder: `go` lets it go on.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char* name) {
    char line[64];
    const int size = snprintf(line, sizeof line, "%s %d\n", name, (int)getpid());
    (void)!write(1, line, (size_t)size);
}

static void leak(const char* name) {
    if (sem_open(name, O_CREAT | O_EXCL, 0600, 1) == SEM_FAILED) abort();
}

static void wait_to_go(void) {
    while (access("go", F_OK) != 0) usleep(5000);
}

static void* nothing(void* argument) { return argument; }
static void* over(void* argument) {
    pthread_setname_np(pthread_self(), "over");
    return argument;
}
static void* work(void* argument) {
    for (;;) {
        const int file = open("work", O_CREAT | O_WRONLY | O_APPEND, 0600);
        if (write(file, "x", 1) != 1) break;
        close(file);
        usleep(1000);
    }
    return argument;
}
static void* forever(void* argument) {
    for (;;) pause();
    return argument;
}

int main(int argc, char** argv) {
    const char* how = argc > 1 ? argv[1] : "";
    if (strcmp(how, "daemon") == 0) {  // both parents end before it
        if (fork() == 0) {
            setsid();
            if (fork() == 0) {
                say("daemon");
                leak("/by-daemon");
                wait_to_go();
                leak("/later");
                return 0;
            }
            return 0;
        }
        wait(NULL);
        while (sem_open("/by-daemon", 0) == SEM_FAILED) usleep(1000);
        leak("/by-parent");
        say("parent");
        return 0;
    }
    if (strcmp(how, "daemon-clean") == 0) {  // leaves nothing, in the end
        leak("/passing");
        if (fork() == 0) {
            say("daemon");
            wait_to_go();
            sem_unlink("/passing");
            _exit(0);
        }
        return 0;
    }
    if (strcmp(how, "group") == 0) {  // workers, to be killed all at once
        if (fork() == 0) {
            setpgid(0, 0);
            for (int i = 0; i < 4; ++i) {
                if (fork() == 0) {
                    char name[32];
                    snprintf(name, sizeof name, "/worker-%d", i);
                    leak(name);
                    say("worker");
                    for (;;) pause();
                }
            }
            say("leader");
            for (;;) pause();
        }
        return 0;
    }
    if (strcmp(how, "orphan") == 0) {
        if (fork() == 0) {
            say("orphan");
            execlp("sleep", "sleep", "1000", (char*)NULL);
        }
        say("parent");
        return 0;
    }
    if (strcmp(how, "soon") == 0) {  // ends within the grace window
        if (fork() == 0) {
            wait_to_go();
            _exit(0);
        }
        return 0;
    }
    if (strcmp(how, "child-threads") == 0) {  // dies with the child, which reports it
        const pid_t pid = fork();
        if (pid == 0) {
            pthread_t thread;
            pthread_create(&thread, NULL, nothing, NULL);
            usleep(50000);
            say("child");
            exit(4);
        }
        waitpid(pid, NULL, 0);
        return 0;
    }
    if (strcmp(how, "child-zombie") == 0) {  // and so does who it did not wait for
        const pid_t pid = fork();
        if (pid == 0) {
            const pid_t zombie = fork();
            if (zombie == 0) {
                say("zombie");
                exit(0);
            }
            siginfo_t info;
            waitid(P_PID, (id_t)zombie, &info, WEXITED | WNOWAIT);
            say("child");
            exit(4);
        }
        waitpid(pid, NULL, 0);
        say("parent");
        return 0;
    }
    if (strcmp(how, "threads") == 0) {
        pthread_t thread;
        pthread_attr_t detached;
        pthread_attr_init(&detached);
        pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
        pthread_create(&thread, NULL, over, NULL);
        pthread_create(&thread, NULL, forever, NULL);
        pthread_setname_np(thread, "running");
        pthread_create(&thread, &detached, forever, NULL);
        pthread_setname_np(thread, "apart");
        pthread_create(&thread, NULL, nothing, NULL);
        pthread_join(thread, NULL);
        usleep(50000);
        return 0;
    }
    if (strcmp(how, "busy") == 0) {  // a thread at work while its process waits for a child
        pthread_t thread;
        pthread_create(&thread, NULL, work, NULL);
        if (fork() == 0) {
            wait_to_go();
            _exit(0);
        }
        while (access("work", F_OK) != 0) usleep(1000);
        if (argc > 2) raise(atoi(argv[2]));
        return 0;
    }
    if (strcmp(how, "shared") == 0) {
        const int fd = shm_open("/segment", O_CREAT | O_EXCL | O_RDWR, 0600);
        if (ftruncate(fd, 12345) != 0) return 99;
        shm_open("/replaced", O_CREAT | O_EXCL | O_RDWR, 0600);
        unlink("/dev/shm/replaced");
        leak("/stays");
        leak("/goes");
        sem_unlink("/goes");
        return 0;
    }
    if (strcmp(how, "own-child") == 0) {  // what its child made is the child's
        const pid_t pid = fork();
        if (pid == 0) {
            leak("/by-child");
            say("child");
            raise(SIGKILL);
        }
        waitpid(pid, NULL, 0);
        return 0;
    }
    if (strcmp(how, "pipe-helper") == 0) {  // one that ends when the last writer of its pipe does
        int ends[2];
        if (pipe(ends) != 0) return 99;
        if (fork() == 0) {
            char c;
            close(ends[1]);
            say("helper");
            (void)!read(ends[0], &c, 1);
            _exit(0);
        }
        close(ends[0]);
        if (argc > 2) {  // with output that only exit flushes
            FILE* stream = fdopen(ends[1], "w");
            fputs("x", stream);
        }
        return 0;
    }
    if (strcmp(how, "dump") == 0) {
        leak("/held");
        say("ready");
        char c;
        // Interrupted or not, it goes on.
        const ssize_t got = read(0, &c, 1);
        printf("read %d\n", (int)got);
        return 6;
    }
    if (strcmp(how, "dump-own") == 0) {
        signal(SIGUSR1, SIG_DFL);
        say("ready");
        for (;;) pause();
    }
    if (strcmp(how, "dump-forks") == 0) {
        if (fork() == 0) {
            leak("/child-held");
            say("child");
            wait_to_go();
            sem_unlink("/child-held");
            _exit(0);
        }
        wait(NULL);
        return 0;
    }
    return 99;
}
