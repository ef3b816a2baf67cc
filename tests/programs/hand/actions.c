// Says what it is told of the actions of signals, after changing them in every way there is.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef void (*Handler)(int);
Handler bsd_signal(int, Handler);
Handler ssignal(int, Handler);
Handler sysv_signal(int, Handler);
Handler __sysv_signal(int, Handler);
int __sigaction(int, const struct sigaction*, struct sigaction*);
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#pragma GCC diagnostic ignored "-Wcast-function-type"
#pragma GCC diagnostic ignored "-Wrestrict"

static void mine(int signal) { (void)signal; }
static void mine_with_info(int signal, siginfo_t* info, void* context) {
    (void)signal, (void)info, (void)context;
}

static Handler set_handler(int number, Handler handler) { return signal(number, handler); }

static const char* name_of(Handler handler) {
    if (handler == SIG_DFL) return "default";
    if (handler == SIG_IGN) return "ignored";
    if (handler == SIG_ERR) return "error";
    if (handler == SIG_HOLD) return "held";
    if (handler == mine) return "mine";
    if (handler == (Handler)mine_with_info) return "mine-with-info";
    return "SOMEBODY ELSE'S";
}

static void show(const char* what, int signal) {
    struct sigaction action;
    memset(&action, 0xee, sizeof action);
    errno = 0;
    const int result = sigaction(signal, NULL, &action);
    printf("%s %d: %d %d", what, signal, result, errno);
    if (result == 0) {
        printf(" %s flags %x mask", name_of(action.sa_handler), (unsigned)action.sa_flags);
        for (int other = 1; other < 65; ++other) {
            if (sigismember(&action.sa_mask, other) == 1) printf(" %d", other);
        }
    }
    printf("\n");
}

static void set(int signal, Handler handler, int flags, int masked) {
    struct sigaction action, old;
    memset(&action, 0, sizeof action);
    memset(&old, 0xee, sizeof old);
    action.sa_handler = handler;
    action.sa_flags = flags;
    if (masked != 0) sigaddset(&action.sa_mask, masked);
    const int result = sigaction(signal, &action, &old);
    printf("sigaction %d %s: %d", signal, name_of(handler), result);
    if (result == 0) printf(" was %s %x", name_of(old.sa_handler), (unsigned)old.sa_flags);
    printf("\n");
    show("then", signal);
}

static void exercise(int signal) {
    show("at first", signal);
    set(signal, SIG_DFL, 0, 0);
    set(signal, SIG_DFL, SA_RESTART | SA_NODEFER, SIGUSR1);
    set(signal, mine, 0, SIGUSR2);
    set(signal, (Handler)mine_with_info, SA_SIGINFO | SA_RESTART | SA_ONSTACK, 0);
    set(signal, SIG_IGN, 0, 0);
    set(signal, SIG_DFL, SA_RESETHAND, 0);

    // In and out in one object.
    struct sigaction both;
    memset(&both, 0, sizeof both);
    both.sa_handler = mine;
    printf("both %d", sigaction(signal, &both, &both));
    printf(" %s\n", name_of(both.sa_handler));
    both.sa_handler = SIG_DFL;
    printf("both %d", __sigaction(signal, &both, &both));
    printf(" %s\n", name_of(both.sa_handler));
    show("then", signal);

#define TRY(call)                                                     \
    do {                                                              \
        errno = 0;                                                    \
        const Handler was = call;                                     \
        printf("%s: was %s, errno %d\n", #call, name_of(was), errno); \
        show("then", signal);                                         \
    } while (0)
    TRY(set_handler(signal, SIG_DFL));
    TRY(set_handler(signal, mine));
    TRY(set_handler(signal, SIG_IGN));
    TRY(set_handler(signal, SIG_DFL));
    TRY(bsd_signal(signal, mine));
    TRY(bsd_signal(signal, SIG_DFL));
    TRY(ssignal(signal, SIG_DFL));
    TRY(sysv_signal(signal, mine));
    TRY(sysv_signal(signal, SIG_DFL));
    TRY(__sysv_signal(signal, SIG_DFL));
    TRY(sigset(signal, SIG_HOLD));
    TRY(sigset(signal, SIG_DFL));
    TRY(sigset(signal, mine));
    TRY(sigset(signal, SIG_DFL));
    printf("siginterrupt %d\n", siginterrupt(signal, 1));
    show("then", signal);
    printf("siginterrupt %d\n", siginterrupt(signal, 0));
    show("then", signal);
    printf("sigignore %d\n", sigignore(signal));
    show("then", signal);
    TRY(set_handler(signal, SIG_DFL));
}

int main(void) {
    for (int number = -1; number < 67; ++number) {
        if (number == SIGKILL || number == SIGSTOP || number == 32 || number == 33) {
            show("at first", number);
        } else {
            exercise(number);
        }
    }
    // A child before its exec, in its parent's memory: its actions are its own.
    fflush(stdout);
    const pid_t pid = vfork();
    if (pid == 0) {
        struct sigaction action, old;
        memset(&action, 0, sizeof action);
        if (sigaction(SIGTERM, NULL, &old) != 0 || old.sa_handler != SIG_DFL) _exit(1);
        if (signal(SIGTERM, SIG_IGN) != SIG_DFL) _exit(2);
        if (signal(SIGTERM, SIG_DFL) != SIG_IGN) _exit(3);
        if (sigaction(SIGTERM, &action, &old) != 0 || old.sa_handler != SIG_DFL) _exit(4);
        _exit(0);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    printf("vforked child: %d\n", status);
    show("in its parent", SIGTERM);
    return 0;
}
