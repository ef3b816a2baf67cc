// calls: sigaction __sigaction signal bsd_signal ssignal sysv_signal __sysv_signal sigset siginterrupt sigaltstack
#include "call.h"

typedef void (*Handler)(int);
typedef Handler Set(int, Handler);

extern int __sigaction(int signal, const struct sigaction* action, struct sigaction* old);
extern Handler __sysv_signal(int signal, Handler handler);
extern Handler bsd_signal(int signal, Handler handler);
extern Handler ssignal(int signal, Handler handler);

static volatile sig_atomic_t caught;
static void catch(int number) { caught = number; }

static const char* name_of(Handler handler) {
    if (handler == SIG_DFL) return "default";
    if (handler == SIG_IGN) return "ignored";
    if (handler == SIG_ERR) return "error";
    if (handler == SIG_HOLD) return "held";
    return handler == catch ? "ours" : "a stranger";
}

static void tell_action(int number) {
    struct sigaction now;
    if (sigaction(number, NULL, &now) != 0) return;
    printf("  now %s, flags %x\n", name_of(now.sa_handler), (unsigned)now.sa_flags & ~0x04000000U);
}

static void tell_handler(const char* what, Handler handler, int error) {
    printf("%-40s %s, errno %d\n", what, name_of(handler), error);
}

#define TRY_SET(what, call)                       \
    do {                                          \
        errno = 77;                               \
        const Handler was_ = (call);              \
        tell_handler(what, was_, errno);          \
    } while (0)

static void try_set(const char* what, Set* set) {
    puts(what);
    TRY_SET("from the default", set(SIGTERM, catch));
    tell_action(SIGTERM);
    raise(SIGTERM);
    printf("  caught %d\n", (int)caught);
    tell_action(SIGTERM);
    TRY_SET("ignored", set(SIGTERM, SIG_IGN));
    raise(SIGTERM);
    TRY_SET("default again", set(SIGTERM, SIG_DFL));
    tell_action(SIGTERM);
    TRY_SET("no such signal", set(999, catch));
    TRY_SET("one that cannot be caught", set(SIGKILL, catch));
    TRY_SET("zero", set(0, catch));
    TRY_SET("of a crash", set(SIGSEGV, catch));
    TRY_SET("back", set(SIGSEGV, SIG_DFL));
}

static void try_action(const char* what, int (*call)(int, const struct sigaction*, struct sigaction*)) {
    puts(what);
    struct sigaction action = {.sa_handler = catch, .sa_flags = SA_RESTART | SA_ONSTACK}, old;
    sigaddset(&action.sa_mask, SIGUSR1);
    for (int number = 1; number < 32; number++) {
        if (call(number, NULL, &old) == 0 && old.sa_handler != SIG_DFL) printf("  %d is %s\n", number, name_of(old.sa_handler));
    }
    TRY("set", call(SIGTERM, &action, &old));
    printf("  was %s, flags %x\n", name_of(old.sa_handler), (unsigned)old.sa_flags);
    tell_action(SIGTERM);
    raise(SIGTERM);
    TRY("reset", call(SIGTERM, &(struct sigaction){.sa_handler = SIG_DFL}, &old));
    printf("  was %s, masks USR1 %d, USR2 %d\n", name_of(old.sa_handler), sigismember(&old.sa_mask, SIGUSR1),
           sigismember(&old.sa_mask, SIGUSR2));
    TRY("nothing", call(SIGTERM, NULL, NULL));
    TRY("no such signal", call(999, &action, &old));
    TRY("one that cannot be caught", call(SIGSTOP, &action, NULL));
    TRY("looked at", call(SIGSTOP, NULL, &old));

}

static char room[65536];

static void tell_stack(void) {
    stack_t now = {0};
    TRY("asked", sigaltstack(NULL, &now));
    printf("  at %s, %zu bytes, flags %x\n", now.ss_sp == room ? "ours" : "another's", now.ss_size, (unsigned)now.ss_flags);
}

static void on_it(int number) {
    caught = number;
    tell_stack();
    TRY("not from there", sigaltstack(&(stack_t){.ss_sp = room, .ss_size = sizeof room}, NULL));
}

static void try_stack(void) {
    tell_stack();
    TRY("too small", sigaltstack(&(stack_t){.ss_sp = room, .ss_size = 100}, NULL));
    TRY("no such flag", sigaltstack(&(stack_t){.ss_sp = room, .ss_size = sizeof room, .ss_flags = 0x40}, NULL));
    TRY("no address", sigaltstack((stack_t*)8, NULL));
    tell_stack();
    TRY("set", sigaltstack(&(stack_t){.ss_sp = room, .ss_size = sizeof room}, NULL));
    const struct sigaction action = {.sa_handler = on_it, .sa_flags = SA_ONSTACK};
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    TRY("disabled", sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL));
    tell_stack();
}

static void try_end(const char* what, int number, Handler handler) {
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        signal(number, handler);
        raise(number);
        _exit(42);
    }
    reap(what, child);
}

int main(void) {
    try_set("signal", signal);
    try_set("bsd_signal", bsd_signal);
    try_set("ssignal", ssignal);
    try_set("sysv_signal", sysv_signal);
    try_set("__sysv_signal", __sysv_signal);
    try_set("sigset", sigset);
    TRY_SET("sigset, held", sigset(SIGTERM, SIG_HOLD));
    TRY_SET("sigset, held before", sigset(SIGTERM, SIG_DFL));
    TRY("siginterrupt", siginterrupt(SIGTERM, 1));
    tell_action(SIGTERM);
    TRY_SET("signal", signal(SIGTERM, catch));
    tell_action(SIGTERM);
    TRY("siginterrupt, off", siginterrupt(SIGTERM, 0));
    tell_action(SIGTERM);
    TRY("siginterrupt, no such signal", siginterrupt(999, 1));
    TRY_SET("signal", signal(SIGTERM, SIG_DFL));
    siginterrupt(SIGTERM, 0);
    try_action("sigaction", sigaction);
    try_action("__sigaction", __sigaction);
    try_stack();
    try_end("by default", SIGTERM, SIG_DFL);
    try_end("caught", SIGTERM, catch);
    try_end("ignored", SIGTERM, SIG_IGN);
    try_end("a crash", SIGSEGV, SIG_DFL);
    try_end("harmless", SIGCHLD, SIG_DFL);
    return 0;
}
