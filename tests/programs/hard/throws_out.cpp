// Leaves hooked calls that signal handlers interrupted by C++ exceptions, by setcontext and by switching to
// another stack, also from an alternate signal stack; then makes things from further down its stack.
// leaves: semaphore /hard-switched, semaphore /hard-thrown, semaphore /hard-thrown-alternate, semaphore /hard-thrown-at-random, semaphore /hard-went-back
#include <alloca.h>
#include <ucontext.h>

#include "hard.h"

namespace {

enum class Way { throws, goes_back, switches };
volatile Way way;
volatile sig_atomic_t armed;
volatile int left;
ucontext_t here, interrupted, other;

void handle(int) {
    if (!armed) return;
    armed = 0;
    left = left + 1;
    if (way == Way::goes_back) setcontext(&here);
    if (way == Way::switches) swapcontext(&interrupted, &other);
    throw 42;
}

void handle_with(int number, bool alternate) {
    static char stack[65536];
    stack_t its{};
    its.ss_sp = stack;
    its.ss_size = sizeof stack;
    if (alternate) sigaltstack(&its, nullptr);
    struct sigaction action {};
    action.sa_handler = handle;
    action.sa_flags = SA_NODEFER | (alternate ? SA_ONSTACK : 0);
    sigaction(number, &action, nullptr);
}

// From further down than any call of before.
__attribute__((noinline)) int leave_deep(const char* name) {
    volatile char* const room = static_cast<char*>(alloca(20000));
    room[0] = room[19999] = 1;
    return leave(name) + room[0] - room[19999];
}

// A hooked call that is interrupted for certain: it writes where nobody may.
__attribute__((noinline)) int interrupted_call() {
    armed = 1;
    return mkstemp(const_cast<char*>("/tmp/hard-XXXXXX"));
}

void on_other_stack() {
    SAY("on another stack: %d, %d\n", leave_deep("/hard-switched"), make_some());
    setcontext(&here);
}

void thrown(const char* name) {
    try {
        interrupted_call();
        SAY("not reached\n");
    } catch (int number) {
        SAY("caught %d\n", number);
    }
    SAY("%s: %d\n", name, leave_deep(name));
}

__attribute__((noinline)) void some_calls() {
    int status = 0;
    mkstemp(const_cast<char*>("/hard-not-there/hard-XXXXXX"));
    shm_open("/hard-not-there", O_RDWR, 0600);
    close(open("/dev/null", O_RDONLY));
    waitpid(-1, &status, WNOHANG);
}

}  // namespace

int main() {
    handle_with(SIGSEGV, false);
    thrown("/hard-thrown");

    volatile bool back = false;
    way = Way::goes_back;
    getcontext(&here);
    if (!back) {
        back = true;
        interrupted_call();
    }
    SAY("went back: %d\n", leave_deep("/hard-went-back"));

    static char stack[262144];
    getcontext(&other);
    other.uc_stack.ss_sp = stack;
    other.uc_stack.ss_size = sizeof stack;
    makecontext(&other, on_other_stack, 0);
    volatile bool switched = false;
    way = Way::switches;
    getcontext(&here);
    if (!switched) {
        switched = true;
        interrupted_call();
    }
    SAY("and back: %d\n", make_some());

    way = Way::throws;
    handle_with(SIGSEGV, true);
    thrown("/hard-thrown-alternate");

    // At any instant, our own work included. The descriptor of a call that was left is lost, plainly too.
    handle_with(SIGALRM, false);
    left = 0;
    itimerval often{{0, 211}, {0, 211}};
    setitimer(ITIMER_REAL, &often, nullptr);
    while (left < 1000) {
        try {
            armed = 1;
            some_calls();
            armed = 0;
        } catch (int) {
        }
    }
    often = {};
    setitimer(ITIMER_REAL, &often, nullptr);
    SAY("at any instant: %d\n", left);
    closefrom(3);
    SAY("%d\n", leave_deep("/hard-thrown-at-random"));
    SAY("%d %d\n", make_some(), make_thread());
    return 19;
}
