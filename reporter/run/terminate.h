// Ending all that descends from this process.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <utility>

#include "reporter/run/signals.h"

namespace leftover::run {

// Asks everybody to end (TERM, and CONT for those who are stopped); those that tidy up after others end
// by themselves. To be called again for who comes up meanwhile; nobody is asked twice.
class Terminate {
public:
    void ask_all();

    // Asks whoever lives until nobody does; from `seconds` on by KILL, and at once when somebody sends a
    // termination signal. Gives up on what cannot be killed after ten seconds more. `on_dump` is called when
    // somebody wants to know what they do.
    void wait(double seconds, const Signals& signals, const std::function<void()>& on_dump);

    // KILL for everybody.
    static void kill_all();

private:
    std::set<std::pair<int, std::uint64_t>> asked_;  // pid and start ticks
};

}  // namespace leftover::run
