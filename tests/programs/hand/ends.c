// Leaves a semaphore behind and ends in the way that its first argument names; the second is a
// number that goes with it.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static int number;

static void at_exit(void) { printf("at exit\n"); }
static void on_quick_exit(void) { printf("at quick exit\n"); }

static void handler(int signal) {
    // Async-signal-safe, but for what it leaves to a further handler.
    static const char text[] = "handled\n";
    (void)!write(1, text, sizeof text - 1);
    if (number == -signal) _exit(9);
    sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    raise(signal);
}

static void* thread_ends(void* how) {
    if (strcmp(how, "exit") == 0) exit(number);
    if (strcmp(how, "_exit") == 0) _exit(number);
    raise(number);
    return NULL;
}

static volatile int zero;
static int overflow(int depth) {
    volatile char page[4096];
    page[0] = (char)depth;
    return depth == zero - 1 ? 0 : overflow(depth + 1) + page[0];
}

int main(int argc, char** argv) {
    const char* how = argv[1];
    number = argc > 2 ? atoi(argv[2]) : 0;
    setvbuf(stdout, NULL, _IOFBF, 4096);
    atexit(at_exit);
    at_quick_exit(on_quick_exit);
    if (sem_open("/ends", O_CREAT, 0600, 1) == SEM_FAILED) return 99;
    printf("begun\n");

    if (strcmp(how, "return") == 0) return number;
    if (strcmp(how, "exit") == 0) exit(number);
    if (strcmp(how, "_exit") == 0) _exit(number);
    if (strcmp(how, "_Exit") == 0) _Exit(number);
    if (strcmp(how, "quick_exit") == 0) quick_exit(number);
    if (strcmp(how, "abort") == 0) abort();
    if (strcmp(how, "raise") == 0) raise(number);
    if (strcmp(how, "wait") == 0) pause();
    if (strcmp(how, "kill") == 0) kill(getpid(), number);
    if (strcmp(how, "null") == 0) *(volatile int*)8 = 1;
    if (strcmp(how, "divide") == 0) return (number + 10) / zero;
    if (strcmp(how, "trap") == 0) __builtin_trap();
    if (strcmp(how, "breakpoint") == 0) __asm__ volatile("int3");
    if (strcmp(how, "overflow") == 0) return overflow(0);
    if (strcmp(how, "overflow-on-alternate-stack") == 0) {
        static char space[8192];  // what most programs take
        const stack_t stack = {.ss_sp = space, .ss_size = sizeof space};
        sigaltstack(&stack, NULL);
        return overflow(0);
    }
    if (strcmp(how, "small-thread") == 0) {
        pthread_t thread;
        pthread_attr_t small;
        pthread_attr_init(&small);
        pthread_attr_setstacksize(&small, 16384);
        pthread_create(&thread, &small, thread_ends, number == 0 ? "exit" : "raise");
        for (;;) pause();
    }
    if (strcmp(how, "no-descriptors") == 0) {
        const struct rlimit limit = {64, 1024};
        setrlimit(RLIMIT_NOFILE, &limit);
        while (dup(1) >= 0) {
        }
        return 0;
    }
    if (strcmp(how, "alarm") == 0) {
        alarm(1);
        pause();
    }
    if (strcmp(how, "pipe") == 0) {
        int ends[2];
        if (pipe(ends) != 0) return 99;
        close(ends[0]);
        (void)!write(ends[1], "x", 1);
    }
    if (strcmp(how, "blocked") == 0) {  // let through by sigsuspend alone
        sigset_t set, none;
        sigemptyset(&none);
        sigemptyset(&set);
        sigaddset(&set, number);
        sigprocmask(SIG_BLOCK, &set, NULL);
        raise(number);
        sigsuspend(&none);
        printf("came back\n");
    }
    if (strcmp(how, "handled") == 0) {
        signal(abs(number), handler);
        raise(abs(number));
    }
    if (strcmp(how, "ignored") == 0) {
        signal(number, SIG_IGN);
        raise(number);
        printf("went on\n");
    }
    if (strncmp(how, "thread-", 7) == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, thread_ends, (void*)(how + 7));
        for (;;) pause();
    }
    if (strcmp(how, "last-thread") == 0) pthread_exit(NULL);
    if (strcmp(how, "child") == 0) {  // dies of a signal before it executes anything
        const pid_t pid = vfork();
        if (pid == 0) {
            kill(getpid(), number);
            _exit(98);
        }
    }
    return 0;
}
