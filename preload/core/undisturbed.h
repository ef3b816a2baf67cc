// Where our own work must not be left in the middle, nor be found in the middle by what a signal handler creates:
// a record that is being opened or made longer has no room for that yet. Signals and a cancellation wait meanwhile.
//
// Two system calls: for what is done seldom. Any context but a vforked child, once initialised.
#pragma once

#include <signal.h>

#include <cstdint>

#include "preload/core/cancellation.h"
#include "preload/core/law.h"
#include "preload/core/sys.h"

namespace leftover {

constexpr std::uint64_t signal_bit(int signal) { return 1ULL << (signal - 1); }

// The two that libc keeps for itself (SIGCANCEL and SIGSETXID in nptl), and that its own functions never block either:
// a thread that changes the user waits until all others have taken part in that.
inline constexpr std::uint64_t signals_of_libc = signal_bit(32) | signal_bit(33);
inline constexpr std::uint64_t signals_of_program = ~signals_of_libc;

class Undisturbed {
  public:
    Undisturbed() {
        blocked_ = sys::call(SYS_rt_sigprocmask, SIG_SETMASK, &signals_of_program, &before_, sizeof before_) == 0;
    }
    ~Undisturbed() {
        if (blocked_) sys::call(SYS_rt_sigprocmask, SIG_SETMASK, &before_, 0L, sizeof before_);
    }
    Undisturbed(const Undisturbed&) = delete;
    Undisturbed& operator=(const Undisturbed&) = delete;

  private:
    const Uncancelled whole_;  // the first to begin and the last to end: a cancellation leaves the caller for good
    std::uint64_t before_ = 0;
    bool blocked_ = false;
};

}  // namespace leftover
