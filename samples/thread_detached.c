// leftover: detached_thread=1(note)@by_attribute detached_thread=1(note)@by_detach
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

static void by_attribute(void) {
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    assert(pthread_create(&thread, &attributes, forever, NULL) == 0);
    pthread_attr_destroy(&attributes);
}

static void by_detach(void) {
    pthread_t thread;
    assert(pthread_create(&thread, NULL, forever, NULL) == 0);
    assert(pthread_detach(thread) == 0);
}

int main(void) {
    by_attribute();
    by_detach();
    puts("two still run");
    return 0;
}
