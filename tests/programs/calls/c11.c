// calls: thrd_create thrd_join thrd_detach
#include <threads.h>

#include "call.h"

static int give(void* argument) { return *(int*)argument; }
static int leave(void* argument) { thrd_exit(*(int*)argument + 1); }

int main(void) {
    thrd_t thread;
    int number = 31, result = 0;
    TRY("thrd_create", thrd_create(&thread, give, &number));
    TRY("thrd_join", thrd_join(thread, &result));
    printf("  %d\n", result);
    TRY("thrd_create, leaves", thrd_create(&thread, leave, &number));
    TRY("thrd_join, leaves", thrd_join(thread, &result));
    printf("  %d\n", result);
    TRY("thrd_create", thrd_create(&thread, give, &number));
    TRY("thrd_join, no result wanted", thrd_join(thread, NULL));
    TRY("thrd_create", thrd_create(&thread, give, &number));
    TRY("thrd_detach", thrd_detach(thread));
    if (forbid_processes()) TRY("thrd_create, no more", thrd_create(&thread, give, &number));
    return 0;
}
