// Ending processes: TERM, and KILL when that was not enough.
#pragma once

#include <chrono>
#include <vector>

#include "reporter/clean/journal.h"

namespace leftover::clean {

// Ends these, all at once, and enters how it went. Returns when none of them is there any more, or
// nothing helps; leaks it found no descriptor for stay as they are and are for the next call. Those
// that tidy up after others (see helpers.h) get the chance to when the others have ended.
// `kill_at`: from then on by KILL.
void end_processes(const std::vector<Leak*>& leaks, std::chrono::steady_clock::time_point kill_at,
                   const Options& options, Journal& journal);

}  // namespace leftover::clean
