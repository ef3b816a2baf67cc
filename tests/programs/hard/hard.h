// What the programs here share: they say what they observe, without stdio's buffers, and name their
// objects after themselves. The first lines of each say what it does and what must be found:
//
//   // leaves: semaphore /hard-left, zombie exits      errors and warnings, in both ways; else nothing
//   // by hand: nothing                                what is found there instead
//   // incomplete: by hand                             it can tell that it cannot tell all
//   // needs: other users                              root, and somebody to become
//   // links: -ldl                                     more words for the compiler
#ifndef TESTS_PROGRAMS_HARD_HARD_H
#define TESTS_PROGRAMS_HARD_HARD_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SAY(...) dprintf(1, __VA_ARGS__)

// A call's result and errno; only whether it is a number of a thing.
#define TELL(call)                                                              \
    do {                                                                        \
        errno = 77;                                                             \
        const long result_ = (long)(intptr_t)(call);                            \
        const int errno_ = errno;                                               \
        SAY("%s: %ld, errno %d\n", #call, result_ > 0 ? 1 : result_, errno_);   \
    } while (0)

// Makes a named semaphore and leaves it; 0, or errno.
static inline int leave(const char* name) {
    sem_t* semaphore = sem_open(name, O_CREAT | O_EXCL, 0600, 1);
    if (semaphore == SEM_FAILED) return errno;
    sem_close(semaphore);
    return 0;
}

// Makes and removes one of each of several things; how many of them worked.
static inline int make_some(void) {
    char file[] = "/tmp/hard-XXXXXX", name[40];
    int made = 0;
    snprintf(name, sizeof name, "/hard-%d-%ld", (int)getpid(), (long)syscall(SYS_gettid));
    const int handle = mkstemp(file);
    if (handle >= 0 && unlink(file) == 0 && close(handle) == 0) made++;
    sem_t* semaphore = sem_open(name, O_CREAT | O_EXCL, 0600, 1);
    if (semaphore != SEM_FAILED && sem_close(semaphore) == 0 && sem_unlink(name) == 0) made++;
    const int memory = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
    if (memory >= 0 && close(memory) == 0 && shm_unlink(name) == 0) made++;
    return made;
}

static inline void* nothing(void* argument) { return argument; }

static inline int make_thread(void) {
    pthread_t thread;
    const int error = pthread_create(&thread, NULL, nothing, NULL);
    return error != 0 ? error : pthread_join(thread, NULL);
}

static inline int status_of(pid_t child) {
    int status = -1;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return -errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

#endif
