// A handler leaves a call that waits by setcontext, which nobody sees, and then things are made below code without
// unwind tables, whose caller is no address at all.
#include <ucontext.h>

#include "hard.h"

static ucontext_t before;
static volatile int left;

static void handler(int number) {
    left = number;
    setcontext(&before);
}

static void work(void) {
    SAY("made %d\n", make_some());
    SAY("%d %d\n", make_thread(), close(open("/dev/null", O_RDONLY)));
}

#if defined(__x86_64__)
// As a just-in-time compiler's code: calls its argument in a frame of which only the frame pointer tells.
__asm__(
    "    .text\n"
    "without_tables:\n"
    "    push %rbp\n"
    "    mov %rsp, %rbp\n"
    "    mov %rbp, %rax\n"
    "    push $0x1234\n"  // in the place of the return address
    "    push %rax\n"
    "    mov %rsp, %rbp\n"
    "    sub $0x40, %rsp\n"
    "    and $-16, %rsp\n"
    "    call *%rdi\n"
    "    lea 16(%rbp), %rsp\n"
    "    pop %rbp\n"
    "    ret\n");
extern void without_tables(void (*function)(void)) __asm__("without_tables");
#else
static void without_tables(void (*function)(void)) { function(); }
#endif

// Further down the stack than the call that was left.
__attribute__((noinline)) static int deeper(int depth) {
    volatile char here[4096];
    here[0] = (char)depth;
    if (depth == 0) without_tables(work);
    return depth == 0 ? here[0] : deeper(depth - 1) + here[0];
}

int main(void) {
    SAY("%d\n", mkfifo("/dev/shm/hard-fifo", 0600));
    signal(SIGALRM, handler);
    getcontext(&before);
    if (!left) {
        setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 100000}}, NULL);
        open("/dev/shm/hard-fifo", O_CREAT | O_WRONLY, 0600);
    }
    SAY("left %d, %d\n", left == SIGALRM, unlink("/dev/shm/hard-fifo"));
    deeper(30);
    return 17;
}
