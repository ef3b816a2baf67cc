// Children that share its memory and are made past libc, whose calls they then use: one ends, one executes something.
// What is made afterwards is recorded as ever.
// leaves: semaphore /hard-before, semaphore /hard-after
#include <sched.h>

#include "hard.h"

enum { size = 1 << 17 };

static void ends(void) {
    close(open("/dev/null", O_RDONLY));
    _exit(3);
}

static void executes(void) {
    execl("/no/such/program", "none", (char*)NULL);
    execl("/bin/sh", "sh", "-c", "exit 4", (char*)NULL);
    _exit(9);
}

// Until the child has ended or executed something.
static pid_t made(void (*function)(void)) {
#if defined(__x86_64__)
    char* const stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    long result;
    register long none asm("r10") = 0;
    register void (*routine)(void) asm("r12") = function;
    __asm__ volatile(
        "syscall\n\ttest %%rax, %%rax\n\tjnz 1f\n\txor %%ebp, %%ebp\n\tcall *%%r12\n\thlt\n1:"
        : "=a"(result)
        : "a"(SYS_clone), "D"((long)(CLONE_VM | CLONE_VFORK | SIGCHLD)), "S"(stack + size - 64), "d"(0L), "r"(none), "r"(routine)
        : "rcx", "r8", "r11", "memory");
    return (pid_t)result;
#else
    const pid_t child = vfork();
    if (child == 0) function();
    return child;
#endif
}

int main(void) {
    SAY("%d\n", leave("/hard-before"));
    for (int i = 0; i < 3; i++) {
        SAY("%d\n", status_of(made(ends)));
        SAY("%d\n", status_of(made(executes)));
        SAY("%d %d\n", make_some(), make_thread());
    }
    SAY("%d\n", leave("/hard-after"));
    return 16;
}
