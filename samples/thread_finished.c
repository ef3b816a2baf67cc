// leftover: thread=2(warning)@start_workers
// Joinable threads that ended and that nobody joined: their stacks stay until the process ends.
#include <assert.h>
#include <pthread.h>
#include <stdio.h>

#include "thread_ends.h"

static void* work(void* argument) {
    return argument;
}

static void start_workers(int count) {
    for (int number = 0; number < count; number++) {
        pthread_t thread;
        assert(pthread_create(&thread, NULL, work, NULL) == 0);
    }
}

int main(void) {
    start_workers(2);
    pthread_t joined;
    assert(pthread_create(&joined, NULL, work, NULL) == 0);
    assert(pthread_join(joined, NULL) == 0);
    wait_for_other_threads();
    puts("two were never joined");
    return 0;
}
