// leftover: thread=1(note)@start_forever
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static void* forever(void* argument) {
    for (;;) {
        pause();
    }
    return argument;
}

static void start_forever(void) {
    pthread_t thread;
    assert(pthread_create(&thread, NULL, forever, NULL) == 0);
}

int main(void) {
    start_forever();
    puts("one still runs");
    return 0;
}
