// Nothing interrupts a report: while one of these lives, every signal waits. What the report itself
// brings about (a pipe without a reader, a file over its limit) is taken back. Any context.
#pragma once

#include <signal.h>
#include <time.h>

#include <cstdint>

#include "preload/core/law.h"
#include "preload/core/sys.h"

namespace leftover::hand {

inline constexpr std::uint64_t signal_bit(int signal) { return 1ULL << (signal - 1); }

inline std::uint64_t pending_signals() {
    std::uint64_t pending = 0;
    sys::call(SYS_rt_sigpending, &pending, sizeof pending);
    return pending;
}

// Takes a blocked signal that waits for this thread or process.
inline void take_pending(int signal) {
    const std::uint64_t set = signal_bit(signal);
    if ((pending_signals() & set) == 0) return;
    const struct timespec now = {0, 0};
    sys::call(SYS_rt_sigtimedwait, &set, 0L, &now, sizeof set);
}

class SignalsBlocked {
public:
    SignalsBlocked() {
        // A thread that changes the user waits until all others have taken part in that.
        constexpr int set_user = 33;
        constexpr std::uint64_t all = ~signal_bit(set_user);
        sys::call(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before_, sizeof before_);
        pending_ = pending_signals();
    }
    ~SignalsBlocked() {
        for (const int signal : {SIGPIPE, SIGXFSZ, SIGIO}) {
            if ((pending_ & signal_bit(signal)) == 0) take_pending(signal);
        }
        sys::call(SYS_rt_sigprocmask, SIG_SETMASK, &before_, 0L, sizeof before_);
    }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

private:
    std::uint64_t before_ = 0;
    std::uint64_t pending_ = 0;
};

}  // namespace leftover::hand
