// How the programs here tell what a call did: its result and errno, which is 77 before each.
#ifndef TESTS_PROGRAMS_CALLS_CALL_H
#define TESTS_PROGRAMS_CALLS_CALL_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

// TRY("what", expression): the expression's value, told.
#define TRY(what, expression)                                     \
    ({                                                            \
        errno = 77;                                               \
        __typeof__(expression) result_ = (expression);            \
        const int errno_ = errno;                                 \
        tell(what, (long)(intptr_t)result_, errno_);              \
        result_;                                                  \
    })

// Only whether it is a number of a thing: descriptors, pids and addresses differ.
#define TRY_ANY(what, expression)                                 \
    ({                                                            \
        errno = 77;                                               \
        __typeof__(expression) result_ = (expression);            \
        const int errno_ = errno;                                 \
        const long value_ = (long)(intptr_t)result_;              \
        tell(what, value_ > 0 ? 1 : value_, errno_);              \
        result_;                                                  \
    })

static inline void tell(const char* what, long result, int error) {
    printf("%-40s %ld, errno %d (%s)\n", what, result, error, error == 77 ? "untouched" : strerror(error));
    fflush(stdout);
}

static inline void tell_status(const char* what, int status) {
    if (WIFEXITED(status)) printf("%-40s exited %d\n", what, WEXITSTATUS(status));
    else if (WIFSIGNALED(status)) printf("%-40s killed %d\n", what, WTERMSIG(status));
    else printf("%-40s other %x\n", what, (unsigned)status);
    fflush(stdout);
}

// Waits for a child without any call that is under test elsewhere.
static inline void reap(const char* what, pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    tell_status(what, status);
}

// No more processes from here on, for nobody in particular: root has no limit.
static inline int forbid_processes(void) {
    return setrlimit(RLIMIT_NPROC, &(struct rlimit){0, 0}) == 0 && setresuid(65534, 65534, 65534) == 0;
}

#endif
