// calls: fork __fork _Fork vfork __vfork
#include <pthread.h>

#include "call.h"

extern pid_t __fork(void);
extern pid_t __vfork(void);

static int handlers[3];
static void before(void) { handlers[0]++; }
static void in_parent(void) { handlers[1]++; }
static void in_child(void) { handlers[2]++; }

static void try_fork(const char* what, pid_t (*call)(void)) {
    fflush(stdout);
    errno = 77;
    const pid_t child = call();
    if (child == 0) {
        const int error = errno;
        printf("  child: errno %d, handlers %d %d %d, child of its parent %d\n", error, handlers[0], handlers[1],
               handlers[2], getppid() > 0);
        fflush(stdout);
        _exit(13);
    }
    const int error = errno;
    reap(what, child);
    tell("  parent", child > 0, error);
}

static void try_vfork(void) {
    volatile int shared = 1;
    errno = 77;
    pid_t child = vfork();
    if (child == 0) {
        shared = 2;
        _exit(14);
    }
    tell("vfork", child > 0, errno);
    reap("vfork", child);
    printf("  shared %d\n", shared);
    errno = 77;
    child = __vfork();
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", "exit 15", (char*)NULL);
        _exit(1);
    }
    tell("__vfork", child > 0, errno);
    reap("__vfork", child);
}

int main(void) {
    pthread_atfork(before, in_parent, in_child);
    try_fork("fork", fork);
    try_fork("__fork", __fork);
    try_fork("_Fork", _Fork);
    try_vfork();
    printf("handlers %d %d %d\n", handlers[0], handlers[1], handlers[2]);
    if (!forbid_processes()) {
        puts("nobody to be");
        return 0;
    }
    TRY("fork, no more", fork());
    TRY("_Fork, no more", _Fork());
    TRY("vfork, no more", vfork());
    printf("handlers %d %d %d\n", handlers[0], handlers[1], handlers[2]);
    return 0;
}
