// Accompanies a child until it ends, as if nobody stood between it and who started us: signals that
// somebody sends us are passed on, when it stops we stop, and when we are continued so is it.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <functional>
#include <optional>
#include <utility>

#include "reporter/model/model.h"
#include "reporter/run/decoy.h"
#include "reporter/run/signals.h"
#include "reporter/run/timers.h"

namespace leftover::run {

class Escort {
public:
    // Before the child is started: it has to be in the same process group from the beginning.
    explicit Escort(const Signals& signals) : signals_(signals) {}

    // Run in accompany(), also while the child is stopped: then we go on without it.
    Timers& timers() { return timers_; }

    // Called in accompany() for each TERM, INT, HUP and QUIT that somebody sent, when the child has it.
    // What comes from the terminal is typed to the whole foreground group, and is not for this.
    void on_termination(std::function<void(int signal)> call) { on_termination_ = std::move(call); }

    // Called in accompany() when somebody wants to know what the program's threads do.
    void on_dump(std::function<void()> call) { on_dump_ = std::move(call); }

    // Returns how it ended. Reaps every other child that ends meanwhile.
    Exit accompany(pid_t child);

private:
    // Reaps what has ended. Sets `stop_signal_` when the child has stopped.
    std::optional<Exit> reap();
    void take(const siginfo_t& signal);
    bool child_has_it(const siginfo_t& signal);
    void forget_what_the_group_got();
    void stop_like_child(int signal);
    bool is_due() const;
    void continue_child();

    const Signals& signals_;
    pid_t child_ = 0;
    int stop_signal_ = 0;
    Timers timers_;
    std::function<void(int)> on_termination_;
    std::function<void()> on_dump_;
    Decoy decoy_;
};

}  // namespace leftover::run
