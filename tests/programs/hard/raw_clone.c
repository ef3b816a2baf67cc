// Children of raw clone, of clone3 and of clone, sharing memory or not, and a raw fork within a thread.
// leaves: semaphore /hard-raw, semaphore /hard-raw3, semaphore /hard-clone, semaphore /hard-after
#include <linux/sched.h>
#include <sched.h>

#include "hard.h"

static int shared;

static int in_clone(void* argument) { return leave(argument); }
static int in_memory(void* argument) {
    shared++;
    return *(int*)argument;
}

static void* raw(void* argument) {
    const pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
        if (unlink("/tmp/hard-not-there") == 0) syscall(SYS_exit_group, 90);
        syscall(SYS_exit_group, 24);
    }
    SAY("in a thread: %d\n", status_of(child));
    return argument;
}

int main(void) {
    pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0) _exit(make_some() * 10 + leave("/hard-raw"));
    SAY("raw: %d\n", status_of(child));
    struct clone_args arguments = {.exit_signal = SIGCHLD};
    child = (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
    if (child == 0) _exit(make_some() * 10 + leave("/hard-raw3"));
    SAY("clone3: %d\n", child < 0 ? 30 : status_of(child));
    static char stack[1 << 16];
    child = clone(in_clone, stack + sizeof stack, SIGCHLD, (void*)"/hard-clone");
    SAY("clone: %d\n", status_of(child));
    int status = 9;
    child = clone(in_memory, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, &status);
    SAY("shared: %d %d\n", status_of(child), shared);
    child = clone(in_memory, stack + sizeof stack, CLONE_VM | CLONE_FS | CLONE_FILES | SIGCHLD, &status);
    SAY("shared: %d %d\n", status_of(child), shared);
    pthread_t thread;
    pthread_create(&thread, NULL, raw, NULL);
    pthread_join(thread, NULL);
    SAY("%d %d\n", make_some(), leave("/hard-after"));
    return 24;
}
