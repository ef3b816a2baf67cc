// Accompanies a child until it ends, as if nobody stood between it and who started us: signals that
// somebody sends us are passed on, when it stops we stop, and when we are continued so is it.
#pragma once

#include <csignal>
#include <optional>

#include <sys/types.h>

#include "reporter/model/model.h"
#include "reporter/run/helper_process.h"
#include "reporter/run/signals.h"

namespace leftover::run {

class Escort {
public:
    // Before the child is started: it has to be in the same process group from the beginning.
    explicit Escort(const Signals& signals);

    // Returns how it ended. Reaps every other child that ends meanwhile.
    Exit accompany(pid_t child);

private:
    // Reaps what has ended. Sets `stop_signal_` when the child has stopped.
    std::optional<Exit> reap();
    void take(const siginfo_t& signal);
    bool child_has_it(const siginfo_t& signal);
    bool group_was_sent(int signal);
    void stop_like_child(int signal);
    void continue_child();

    const Signals& signals_;
    pid_t child_ = 0;
    int stop_signal_ = 0;
    // A signal can be sent to us or, by kill() or from the terminal, to our whole process group, the
    // program included, which then must not get a second one. Who gets it cannot tell the two apart:
    // this process of our group can, where only the latter are ever pending.
    HelperProcess decoy_;
};

}  // namespace leftover::run
