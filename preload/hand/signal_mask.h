// Nothing interrupts a report: while one of these lives, every signal waits. What the report itself
// brings about (a pipe without a reader, a file over its limit) is taken back. Any context.
#pragma once

#include <signal.h>
#include <time.h>

#include <cstdint>

#include "preload/core/law.h"
#include "preload/core/sys.h"
#include "preload/core/undisturbed.h"

namespace leftover::hand {

inline std::uint64_t pending_signals() {
    std::uint64_t pending = 0;
    sys::call(SYS_rt_sigpending, &pending, sizeof pending);
    return pending;
}

// Takes a blocked signal that waits for this thread or process, however often it does.
inline void take_pending(int signal) {
    const std::uint64_t set = signal_bit(signal);
    while ((pending_signals() & set) != 0) {
        const struct timespec now = {0, 0};
        if (sys::call(SYS_rt_sigtimedwait, &set, 0L, &now, sizeof set) < 0) return;
    }
}

// What becomes of signals that arrive meanwhile. At the process's end they are dropped: without us
// it would be gone by now, and its handlers with it.
enum class Arriving { wait, drop };

class SignalsBlocked {
public:
    explicit SignalsBlocked(Arriving arriving) : arriving_(arriving) {
        // A thread that changes the user waits until all others have taken part in that.
        constexpr int set_user = 33;
        constexpr std::uint64_t all = ~signal_bit(set_user);
        sys::call(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before_, sizeof before_);
        pending_ = pending_signals();
    }
    ~SignalsBlocked() {
        std::uint64_t fresh_ones = pending_signals() & ~pending_;
        if (arriving_ == Arriving::wait) {
            fresh_ones &= signal_bit(SIGPIPE) | signal_bit(SIGXFSZ) | signal_bit(SIGIO);
        }
        for (; fresh_ones != 0; fresh_ones &= fresh_ones - 1) {
            take_pending(__builtin_ctzll(fresh_ones) + 1);
        }
        sys::call(SYS_rt_sigprocmask, SIG_SETMASK, &before_, 0L, sizeof before_);
    }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

private:
    Arriving arriving_;
    std::uint64_t before_ = 0;
    std::uint64_t pending_ = 0;
};

}  // namespace leftover::hand
