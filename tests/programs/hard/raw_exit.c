// Ends by a system call of its own, and so do its child and its thread.
// leaves: semaphore /hard-raw-exit, semaphore /hard-raw-exit-child
// by hand: nothing
#include "hard.h"

static void* ends_alone(void* argument) {
    make_some();
    syscall(SYS_exit, 3);
    return argument;
}

int main(void) {
    SAY("%d\n", leave("/hard-raw-exit"));
    const pid_t child = fork();
    if (child == 0) syscall(SYS_exit_group, leave("/hard-raw-exit-child"));
    SAY("%d\n", status_of(child));
    pthread_t thread;
    pthread_create(&thread, NULL, ends_alone, NULL);
    SAY("%d\n", pthread_join(thread, NULL));
    syscall(SYS_exit_group, 25);
}
