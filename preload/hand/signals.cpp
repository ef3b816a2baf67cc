#include "preload/hand/signals.h"

#include <ucontext.h>

#include <cerrno>

#include "preload/core/ending.h"
#include "preload/core/process.h"
#include "preload/core/sys.h"
#include "preload/core/text.h"
#include "preload/hand/freeze.h"
#include "preload/hand/hand.h"
#include "preload/hand/options.h"
#include "preload/hand/signal_mask.h"
#include "preload/hand/signal_names.h"

namespace leftover::hand {

namespace {

// Those whose default action ends the process, real-time ones and KILL left out.
constexpr std::uint64_t terminating = [] {
    std::uint64_t set = 0;
    for (const int signal :
         {SIGHUP,  SIGINT,    SIGQUIT, SIGILL,  SIGTRAP, SIGABRT, SIGBUS,    SIGFPE,
          SIGUSR1, SIGSEGV,   SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGSTKFLT, SIGXCPU,
          SIGXFSZ, SIGVTALRM, SIGPROF, SIGPOLL, SIGPWR,  SIGSYS}) {
        set |= signal_bit(signal);
    }
    return set;
}();

// Of the first process of a pid namespace, as a container has one: the kernel does not give it a signal that it left
// at its default, and a handler of ours would interrupt its calls for nothing. Only what its own instructions bring
// about ends it. (The last one is freeze.h's.)
constexpr std::uint64_t ending_the_first = signal_bit(SIGSEGV) | signal_bit(SIGBUS) | signal_bit(SIGFPE) |
                                           signal_bit(SIGILL) | signal_bit(SIGTRAP) | signal_bit(SIGSYS) |
                                           signal_bit(SIGSTKFLT);

std::uint64_t wanted() { return identity.pid == 1 ? ending_the_first : terminating; }

constinit bool watching = false;
constinit std::uint64_t watched = 0;  // of those that end it
struct sigaction told[signal_limit];

// Runs in this memory but is not this process: a vforked child, which must leave everything alone.
// What was forked without our knowing is not meant: it adopts itself on the way.
bool is_stranger() {
    if (sys::getpid() == identity.pid) return false;
    return fresh.memory_sharers.load(std::memory_order_relaxed) != 0 || !is_new_child();
}

// A fault of the instruction at hand, which comes again when that is executed again.
bool is_repeatable(int signal, const siginfo_t* info) {
    if (info == nullptr || info->si_code <= 0) return false;
    if (signal == SIGBUS) return info->si_code != BUS_MCEERR_AO;
    return signal == SIGSEGV || signal == SIGFPE || signal == SIGILL;
}

// Ends the process by the signal as soon as the handler returns, so that a core dump shows the
// program where it was, with what it was told about the signal.
void die(int signal, siginfo_t* info, void* context) {
    struct sigaction action = {};
    action.sa_handler = SIG_DFL;
    real_action(signal, &action, nullptr);
    // Nothing else is to run before; and sigsuspend, ppoll and their kin are about to block the
    // signal again. The kernel's set is one word; what lies behind it is not ours.
    const std::uint64_t mask = ~signal_bit(signal);
    copy_bytes(&static_cast<ucontext_t*>(context)->uc_sigmask, &mask, sizeof mask);
    if (is_repeatable(signal, info)) return;
    const pid_t pid = sys::getpid();
    const pid_t tid = sys::gettid();
    if (sys::call(SYS_rt_tgsigqueueinfo, pid, tid, signal, info) != 0) {
        sys::call(SYS_tgkill, pid, tid, signal);
    }
}

void handle(int signal, siginfo_t* info, void* context) {
    const int saved = errno;
    if (!is_stranger()) {
        if (follow_freeze(signal, info)) {
            errno = saved;
            return;
        }
        if (signal == settings.dump_signal) {
            if (is_new_child()) adopt_fork();
            dump();
            errno = saved;
            return;
        }
        if (identity.pid == 1 && info->si_code <= 0) return;  // somebody sent it
        end_process(record::Ending::signal, signal);
        await_end();
    }
    die(signal, info, context);
    errno = saved;
}

void install(int signal) {
    struct sigaction action = {};
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    sigfillset(&action.sa_mask);
    real_action(signal, &action, nullptr);
}

}  // namespace

bool is_watched(int signal) {
    if (!watching || signal <= 0 || signal >= signal_limit) return false;
    return (watched & signal_bit(signal)) != 0 || signal == settings.dump_signal;
}

bool is_ours(const struct sigaction& action) {
    return (action.sa_flags & SA_SIGINFO) != 0 && action.sa_sigaction == handle;
}

const struct sigaction& action_as_told(int signal) { return told[signal]; }

void tell_restart(int signal, bool restart) {
    if (restart) {
        told[signal].sa_flags |= SA_RESTART;
    } else {
        told[signal].sa_flags &= ~SA_RESTART;
    }
    install(signal);
}

void restored_by_libc(int signal) {
#ifdef __x86_64__
    constexpr int has_restorer = 0x04000000;  // SA_RESTORER of the kernel's headers
    if (is_watched(signal)) told[signal].sa_flags |= has_restorer;
#else
    (void)signal;
#endif
}

void take_default(int signal) {
    const int saved = errno;
    struct sigaction now;
    if (real_action(signal, nullptr, &now) == 0 && now.sa_handler == SIG_DFL) {
        told[signal] = now;
        install(signal);
    }
    errno = saved;
}

void install_handlers() {
    watching = true;
    watched = wanted();
    for (int signal = 1; signal < signal_limit; ++signal) {
        if (!is_watched(signal)) continue;
        struct sigaction now;
        if (real_action(signal, nullptr, &now) != 0) continue;
        // Whoever started us may have had the dump signal ignored, as nohup does with HUP; that it
        // is asked for says more.
        const bool ignored_dump = now.sa_handler == SIG_IGN && signal == settings.dump_signal;
        if (now.sa_handler != SIG_DFL && !ignored_dump) continue;
        told[signal] = now;
        install(signal);
    }
}

void remove_handlers() {
    for (int signal = 1; signal < signal_limit; ++signal) {
        struct sigaction now;
        if (is_watched(signal) && real_action(signal, nullptr, &now) == 0 && is_ours(now)) {
            real_action(signal, &told[signal], nullptr);
        }
    }
    watching = false;
}

void after_fork_handlers() {
    if (!watching || watched == wanted()) return;
    remove_handlers();
    install_handlers();
}

}  // namespace leftover::hand
