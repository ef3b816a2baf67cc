// Makes things twenty thousand frames down, in a thread as well, and forks there.
// leaves: semaphore /hard-deep, semaphore /hard-deep-thread, semaphore /hard-deep-child
#include "hard.h"

static int down(int depth, const char* name) {
    volatile char room[16] = {(char)depth};
    if (depth > 0) return down(depth - 1, name) + room[1];
    int result = make_some() * 100 + leave(name) + room[1];
    if (strcmp(name, "/hard-deep") == 0) {
        const pid_t child = fork();
        if (child == 0) _exit(leave("/hard-deep-child"));
        result += 10 * status_of(child);
    }
    return result;
}

static void* in_thread(void* argument) { return (void*)(intptr_t)down(20000, argument); }

int main(void) {
    SAY("%d\n", down(20000, "/hard-deep"));
    pthread_t thread;
    void* result = NULL;
    pthread_create(&thread, NULL, in_thread, (void*)"/hard-deep-thread");
    pthread_join(thread, &result);
    SAY("%ld\n", (long)(intptr_t)result);
    return 23;
}
