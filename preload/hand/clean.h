// Cleaning up by hand, at the end of the session's first process or of the last one: as the tool does
// it (reporter/clean), by the same rules. Any context; under the lock of the one who ends.
#pragma once

#include "preload/core/law.h"
#include "preload/hand/evidence.h"
#include "preload/hand/findings.h"

namespace leftover::hand {

// Ends the processes that are left over, TERM first, and again those that they started meanwhile; then
// removes names and System V objects that nobody uses. Sets the leaks' status and findings.cleanup; what
// turns up meanwhile is added, without a stack.
void clean(Evidence& evidence, Findings& findings);

// Enters what was done about a leak; with `last`, its status.
void enter(Pool& pool, Findings& findings, Leak& leak, std::string_view action, const Attempt& attempt,
           bool last = true);

// Its parts. `kill_at_ns`: CLOCK_MONOTONIC; from then on by KILL.
void end_processes(Pool& pool, Findings& findings, std::uint64_t kill_at_ns);
void remove_names(Pool& pool, Findings& findings);

}  // namespace leftover::hand
