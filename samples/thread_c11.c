// leftover: thread=1(warning)@start_unjoined
#include <assert.h>
#include <stdio.h>
#include <threads.h>

#include "thread_ends.h"

static int work(void* argument) {
    return argument == NULL;
}

static void start_unjoined(void) {
    thrd_t thread;
    assert(thrd_create(&thread, work, NULL) == thrd_success);
}

int main(void) {
    start_unjoined();
    thrd_t joined;
    int result = 0;
    assert(thrd_create(&joined, work, NULL) == thrd_success);
    assert(thrd_join(joined, &result) == thrd_success && result == 1);
    thrd_t detached;
    assert(thrd_create(&detached, work, NULL) == thrd_success);
    assert(thrd_detach(detached) == thrd_success);
    wait_for_other_threads();
    puts("one was never joined");
    return 0;
}
