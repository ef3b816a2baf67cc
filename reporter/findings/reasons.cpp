#include "reporter/findings/reasons.h"

#include <fmt/format.h>

#include "reporter/model/names.h"

namespace leftover::findings {

namespace {

// By what stays the same when frames get their names later, and with them the leak its fingerprint.
std::string key_of(const Leak& leak) {
    return fmt::format("{}\n{}\n{}\n{}", name_of(leak.kind), leak.name, leak.pid, leak.details.more->pid.value_or(0));
}

}  // namespace

void keep_reason(Report& report, const Leak& leak, const std::string& reason) {
    report.reasons.insert_or_assign(key_of(leak), reason);
}

std::string reason_of(const Report& report, const Finding& finding) {
    if (report.reasons.empty()) return {};
    for (const Leak* leak : finding.leaks) {
        if (const auto at = report.reasons.find(key_of(*leak)); at != report.reasons.end()) return at->second;
    }
    return {};
}

}  // namespace leftover::findings
