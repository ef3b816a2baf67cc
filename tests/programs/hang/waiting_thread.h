// Threads that each wait in one call, all at once, and say if it returns: nothing but an end of the program should
// make it.
#pragma once

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static pthread_barrier_t all;  // of all of them and main

static void begin(const char* name) {
    pthread_setname_np(pthread_self(), name);
    pthread_barrier_wait(&all);
}

#define THREAD(name, call)                                      \
    static void* name(void* x) {                                \
        begin(#name);                                           \
        errno = 0;                                              \
        call;                                                   \
        printf("%s returned: %s\n", #name, strerror(errno));    \
        fflush(stdout);                                         \
        return x;                                               \
    }
