// What leftover's own exit status is.
#pragma once

#include <cstdint>

#include "reporter/model/model.h"

namespace leftover::run {

struct GateOptions {
    bool enabled = false;
    Severity fail_on = Severity::error;
    int exit_code = 23;
    bool strict_suppressions = false;  // an unused or expired one counts too
};

// Whether the leak counts for the gate: at or above its severity, cleaned or not; not what others use,
// nor what is suppressed or in the baseline.
bool counts_for_gate(const Leak& leak, Severity fail_on);

// How many leaks count for the gate.
std::uint64_t gate_count(const Report& report, Severity fail_on);

bool is_any_instrumented(const Report& report);

// Something is left over: errors and warnings, and notes when they count for the gate.
bool is_worth_telling(const Report& report, Severity fail_on);

enum class Verdict { program, gate, stale_suppressions, not_instrumented, incomplete, trouble };

// Whose the exit status is. What the program did itself comes first: only a program that succeeded
// can be failed by us. `trouble`: leftover could not do its work, such as write a report; `stale`:
// there are unused or expired suppressions.
Verdict judge_exit(const Exit& program, const GateOptions& gate, const Report& report, bool trouble,
                   bool stale = false);

}  // namespace leftover::run
