// calls: pthread_create pthread_join pthread_tryjoin_np pthread_timedjoin_np pthread_clockjoin_np
// calls: pthread_detach pthread_setname_np
#include <pthread.h>
#include <semaphore.h>
#include <time.h>

#include "call.h"

static sem_t gates[20];

static void* give(void* argument) { return argument; }
static void* leave(void* argument) { pthread_exit(argument); }
static void* wait_at_gate(void* argument) { sem_wait(&gates[(long)argument]); return argument; }
static void* join_itself(void* argument) {
    (void)argument;
    return (void*)(intptr_t)pthread_join(pthread_self(), NULL);
}
static void* join_for_ever(void* argument) {
    pthread_join(*(pthread_t*)argument, NULL);
    return NULL;
}
static void tell_cancelled(void* argument) { printf("  cleaned up %s\n", (char*)argument); }
static void* wait_for_cancel(void* argument) {
    pthread_cleanup_push(tell_cancelled, argument);
    for (;;) pause();
    pthread_cleanup_pop(0);
    return NULL;
}

static struct timespec after(clockid_t clock, long milliseconds) {
    struct timespec time;
    clock_gettime(clock, &time);
    time.tv_nsec += milliseconds * 1000000;
    time.tv_sec += time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return time;
}

int main(void) {
    for (int i = 0; i < 20; i++) sem_init(&gates[i], 0, 0);
    pthread_t thread, other;
    void* result = NULL;
    TRY("pthread_create", pthread_create(&thread, NULL, give, (void*)11));
    TRY("pthread_join", pthread_join(thread, &result));
    printf("  %ld\n", (long)result);
    TRY("pthread_create, leaves", pthread_create(&thread, NULL, leave, (void*)12));
    TRY("pthread_join, leaves", pthread_join(thread, &result));
    printf("  %ld\n", (long)result);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, (size_t)1 << 46);
    TRY("pthread_create, no memory", pthread_create(&thread, &attributes, give, NULL));
    pthread_attr_setstacksize(&attributes, 1 << 20);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    TRY("pthread_create, detached", pthread_create(&thread, &attributes, wait_at_gate, (void*)1));
    TRY("pthread_join, detached", pthread_join(thread, NULL));
    TRY("pthread_detach, detached", pthread_detach(thread));
    sem_post(&gates[1]);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_JOINABLE);
    TRY("pthread_create, with a size", pthread_create(&thread, &attributes, give, (void*)13));
    TRY("pthread_join", pthread_join(thread, NULL));
    pthread_attr_destroy(&attributes);

    TRY("pthread_create", pthread_create(&thread, NULL, wait_at_gate, (void*)14));
    TRY("pthread_tryjoin_np, busy", pthread_tryjoin_np(thread, &result));
    struct timespec until = after(CLOCK_REALTIME, 20);
    TRY("pthread_timedjoin_np, in vain", pthread_timedjoin_np(thread, &result, &until));
    until = after(CLOCK_MONOTONIC, 20);
    TRY("pthread_clockjoin_np, in vain", pthread_clockjoin_np(thread, &result, CLOCK_MONOTONIC, &until));
    TRY("pthread_clockjoin_np, bad clock", pthread_clockjoin_np(thread, &result, (clockid_t)77, &until));
    sem_post(&gates[14]);
    until = after(CLOCK_REALTIME, 20000);
    TRY("pthread_timedjoin_np", pthread_timedjoin_np(thread, &result, &until));
    printf("  %ld\n", (long)result);
    pthread_create(&thread, NULL, give, (void*)15);
    until = after(CLOCK_MONOTONIC, 20000);
    TRY("pthread_clockjoin_np", pthread_clockjoin_np(thread, &result, CLOCK_MONOTONIC, &until));
    printf("  %ld\n", (long)result);
    pthread_create(&thread, NULL, give, (void*)16);
    int busy;
    while ((busy = pthread_tryjoin_np(thread, &result)) == EBUSY) usleep(100);
    printf("pthread_tryjoin_np %d %ld\n", busy, (long)result);

    pthread_create(&thread, NULL, join_itself, NULL);
    TRY("pthread_join of itself", pthread_join(thread, &result));
    printf("  %ld\n", (long)result);
    pthread_create(&thread, NULL, wait_for_cancel, "in time");
    TRY("pthread_cancel", pthread_cancel(thread));
    TRY("pthread_join, cancelled", pthread_join(thread, &result));
    printf("  %d\n", result == PTHREAD_CANCELED);

    // A thread cancelled within pthread_join leaves the other one joinable.
    pthread_create(&thread, NULL, wait_at_gate, (void*)17);
    pthread_create(&other, NULL, join_for_ever, &thread);
    usleep(20000);
    TRY("pthread_cancel", pthread_cancel(other));
    TRY("pthread_join, cancelled", pthread_join(other, &result));
    printf("  %d\n", result == PTHREAD_CANCELED);
    sem_post(&gates[17]);
    TRY("pthread_join, of its victim", pthread_join(thread, &result));
    printf("  %ld\n", (long)result);

    pthread_create(&thread, NULL, wait_at_gate, (void*)2);
    char name[32] = "";
    TRY("pthread_setname_np", pthread_setname_np(thread, "worker"));
    pthread_getname_np(thread, name, sizeof name);
    printf("  %s\n", name);
    TRY("pthread_setname_np, too long", pthread_setname_np(thread, "a name of sixteen"));
    TRY("pthread_setname_np, its own", pthread_setname_np(pthread_self(), "main one"));
    TRY("pthread_detach", pthread_detach(thread));
    TRY("pthread_join, detached", pthread_join(thread, NULL));
    sem_post(&gates[2]);
    pthread_exit(NULL);
}
