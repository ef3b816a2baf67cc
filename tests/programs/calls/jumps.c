// calls: longjmp _longjmp siglongjmp __longjmp_chk
#include <setjmp.h>

#include "call.h"

extern void checked(struct __jmp_buf_tag*, int) __asm__("__longjmp_chk");

static jmp_buf plain;
static sigjmp_buf with_mask;

static void out(int signal) {
    (void)signal;
    siglongjmp(with_mask, 4);
}

static void within(int signal) {
    (void)signal;
    jmp_buf own;
    volatile int count = 0;
    if (setjmp(own) < 3) longjmp(own, ++count);
    printf("  within a handler: %d\n", count);
}

static int blocked(void) {
    sigset_t set;
    sigprocmask(SIG_SETMASK, NULL, &set);
    return sigismember(&set, SIGUSR1);
}

int main(void) {
    volatile int rounds = 0;
    int value = setjmp(plain);
    printf("setjmp: %d\n", value);
    if (value < 3 && rounds == 0) longjmp(plain, value + 1);
    if (value == 3 && rounds++ == 0) longjmp(plain, 0);  // which gives 1
    if (rounds == 1) {
        value = _setjmp(plain);
        printf("_setjmp: %d\n", value);
        if (value == 0) _longjmp(plain, 7);
        value = setjmp(plain);
        printf("setjmp, checked: %d\n", value);
        if (value == 0) checked(plain, 8);
    }
    signal(SIGUSR1, out);
    value = sigsetjmp(with_mask, 1);
    printf("sigsetjmp, with the mask: %d, blocked %d\n", value, blocked());
    if (value == 0) raise(SIGUSR1);
    value = sigsetjmp(with_mask, 0);
    printf("sigsetjmp, without it: %d, blocked %d\n", value, blocked());
    if (value == 0) raise(SIGUSR1);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGUSR1, within);
    raise(SIGUSR1);
    fflush(stdout);
    return 3;
}
