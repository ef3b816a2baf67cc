// What leftover's own exit status is.
#pragma once

#include <cstdint>

#include "reporter/model/model.h"

namespace leftover::run {

struct GateOptions {
    bool enabled = false;
    Severity fail_on = Severity::error;
    int exit_code = 23;
};

// How many leaks count for the gate: at or above its severity, those that were cleaned included; not
// what others use, nor what is suppressed or in the baseline.
std::uint64_t gate_count(const Report& report, Severity fail_on);

bool is_any_instrumented(const Report& report);

// Something is left over: errors and warnings, and notes when they count for the gate.
bool is_worth_telling(const Report& report, Severity fail_on);

enum class Verdict { program, gate, not_instrumented, trouble };

// Whose the exit status is. What the program did itself comes first: only a program that succeeded
// can be failed by us. `trouble`: leftover could not do its work, such as write a report.
Verdict judge_exit(const Exit& program, const GateOptions& gate, const Report& report,
                   bool trouble);

}  // namespace leftover::run
