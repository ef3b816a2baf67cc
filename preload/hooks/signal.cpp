// By hand, signals that the program leaves at their default have a handler of ours
// (hand/signals.h). The program never sees it: whatever it asks, it is told what it set itself.
// Under a launcher these hooks pass everything through; but that there are alternate stacks is noted.
#include <signal.h>

#include <cerrno>

#include "preload/core/alternate_stack.h"
#include "preload/core/hook.h"
#include "preload/hand/signals.h"

namespace leftover {

namespace {

using Handler = void (*)(int);
using hand::is_watched;

// True when there is nothing to hide. In a vforked child actions are its own and only the answers
// are to be changed; it is about to exec, which resets handlers.
bool pass_through(int signal) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    return !options.by_hand || !is_watched(signal);
}

using Action = int (*)(int, const struct sigaction*, struct sigaction*);

int set_action(Action real, int signal, const struct sigaction* action, struct sigaction* old) {
    // Both may be the same object.
    const bool to_default = action != nullptr && action->sa_handler == SIG_DFL;
    struct sigaction before;
    const int result = real(signal, action, &before);
    if (result != 0) return result;
    if (old != nullptr) *old = hand::is_ours(before) ? hand::action_as_told(signal) : before;
    if (to_default && !shares_parent_memory()) hand::take_default(signal);
    return result;
}

// The calls that know a handler only. What the action was is asked first: the answer of `real` is
// an address that cannot be told from a handler of the program's own with flags.
using Simple = Handler (*)(int, Handler);

Handler set_handler(Simple real, int signal, Handler handler) {
    const int saved = errno;
    struct sigaction before;
    const bool had_ours = hand::real_action(signal, nullptr, &before) == 0 && hand::is_ours(before);
    const Handler as_told = had_ours ? hand::action_as_told(signal).sa_handler : nullptr;
    errno = saved;
    const Handler result = real(signal, handler);
    if (result == SIG_ERR) return result;
    if (!shares_parent_memory()) hand::take_default(signal);
    return had_ours && result == before.sa_handler ? as_told : result;
}

}  // namespace

HOOK(int, sigaction, int signal, const struct sigaction* action, struct sigaction* old) {
    if (pass_through(signal)) return real_sigaction(signal, action, old);
    return set_action(real_sigaction, signal, action, old);
}

HOOK(int, __sigaction, int signal, const struct sigaction* action, struct sigaction* old) {
    if (pass_through(signal)) return real___sigaction(signal, action, old);
    return set_action(real___sigaction, signal, action, old);
}

int hand::real_action(int signal, const struct sigaction* action, struct sigaction* old) {
    return real_sigaction(signal, action, old);
}

#define HANDLER_HOOK(NAME)                                             \
    HOOK(Handler, NAME, int signal, Handler handler) {                 \
        if (pass_through(signal)) return real_##NAME(signal, handler); \
        return set_handler(real_##NAME, signal, handler);              \
    }

HANDLER_HOOK(signal)
HANDLER_HOOK(bsd_signal)
HANDLER_HOOK(ssignal)
HANDLER_HOOK(sysv_signal)
HANDLER_HOOK(__sysv_signal)
HANDLER_HOOK(sigset)  // SIG_HOLD, as argument and answer, is no handler of anybody's

// sigignore needs no hook: it sets SIG_IGN and tells nothing.

HOOK(int, siginterrupt, int signal, int interrupt) {
    if (pass_through(signal)) return real_siginterrupt(signal, interrupt);
    const int result = real_siginterrupt(signal, interrupt);
    const int saved = errno;
    struct sigaction now;
    if (result == 0 && hand::real_action(signal, nullptr, &now) == 0 && hand::is_ours(now) &&
        !shares_parent_memory()) {
        hand::tell_restart(signal, interrupt == 0);
    }
    errno = saved;
    return result;
}

HOOK(int, sigaltstack, const stack_t* stack, stack_t* old) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    const int result = real_sigaltstack(stack, old);
    if (result == 0 && stack != nullptr) has_alternate_stacks.store(true, std::memory_order_relaxed);
    return result;
}

}  // namespace leftover
