#include "reporter/run/gate.h"

#include <algorithm>

namespace leftover::run {
namespace {

bool counts(Status status) {
    return status == Status::leaked || status == Status::cleaned || status == Status::failed;
}

}  // namespace

bool counts_for_gate(const Leak& leak, Severity fail_on) {
    return leak.severity >= fail_on && counts(leak.status);
}

std::uint64_t gate_count(const Report& report, Severity fail_on) {
    return static_cast<std::uint64_t>(std::count_if(
        report.leaks.begin(), report.leaks.end(),
        [&](const Leak& leak) { return counts_for_gate(leak, fail_on); }));
}

bool is_any_instrumented(const Report& report) {
    return std::any_of(report.processes.begin(), report.processes.end(),
                       [](const ProcessInfo& process) { return process.instrumented; });
}

bool is_worth_telling(const Report& report, Severity fail_on) {
    const Severity lowest = std::min(fail_on, Severity::warning);
    return std::any_of(report.leaks.begin(), report.leaks.end(), [&](const Leak& leak) {
        return leak.severity >= lowest && leak.status != Status::suppressed &&
               leak.status != Status::baseline;
    });
}

Verdict judge_exit(const Exit& program, const GateOptions& gate, const Report& report,
                   bool trouble, bool stale) {
    if (program.code != 0) return Verdict::program;
    if (trouble) return Verdict::trouble;
    if (!gate.enabled) return Verdict::program;
    if (!is_any_instrumented(report)) return Verdict::not_instrumented;
    if (gate_count(report, gate.fail_on) > 0) return Verdict::gate;
    if (gate.strict_suppressions && stale) return Verdict::stale_suppressions;
    const bool complete = std::all_of(report.sessions.begin(), report.sessions.end(),
                                      [](const Session& session) { return session.complete; });
    return complete ? Verdict::program : Verdict::incomplete;
}

}  // namespace leftover::run
