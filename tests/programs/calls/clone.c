// calls: clone
#include <sched.h>
#include <sys/syscall.h>

#include "call.h"

static char stack[65536] __attribute__((aligned(16)));
static int shared = 1;

static int child(void* argument) {
    shared = 2;
    return *(int*)argument;
}

static int child_that_leaves(void* argument) {
    _exit(*(char*)argument);
}

int main(void) {
    int code = 21;
    char* top = stack + sizeof stack;
    pid_t tid = -1, cleared = -1;
    pid_t pid = TRY_ANY("clone", clone(child, top, SIGCHLD, &code));
    reap("clone", pid);
    printf("  shared %d\n", shared);
    pid = TRY_ANY("clone, with the number", clone(child, top, SIGCHLD | CLONE_PARENT_SETTID, &code, &tid));
    reap("clone, with the number", pid);
    printf("  told %d\n", tid == pid);
    pid = TRY_ANY("clone, as vfork", clone(child, top, SIGCHLD | CLONE_VM | CLONE_VFORK, &code));
    reap("clone, as vfork", pid);
    printf("  shared %d\n", shared);
    pid = TRY_ANY("clone, all arguments",
                  clone(child_that_leaves, top, SIGCHLD | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID, "A", &tid,
                        NULL, &cleared));
    reap("clone, all arguments", pid);
    TRY("clone, no stack", clone(child, NULL, SIGCHLD, &code));
    TRY("clone, no function", clone(NULL, top, SIGCHLD, &code));
    TRY("clone, bad flags", clone(child, top, SIGCHLD | CLONE_THREAD, &code));
    TRY("clone, other bad flags", clone(child, top, SIGCHLD | CLONE_NEWNS | CLONE_FS, &code));
    if (forbid_processes()) TRY("clone, no more", clone(child, top, SIGCHLD, &code));
    return 0;
}
