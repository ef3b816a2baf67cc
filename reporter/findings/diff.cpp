#include "reporter/findings/diff.h"

#include <string_view>
#include <unordered_map>

namespace leftover::findings {

namespace {

std::vector<Finding> select(const Report& report, Severity lowest) {
    std::vector<Finding> selected;
    std::unordered_map<std::string_view, std::size_t> known;
    for (Finding& finding : find(report, {lowest == Severity::note, true})) {
        if (finding.severity < lowest || excuse_of(finding) == Status::suppressed) continue;
        const auto [at, is_new] = known.try_emplace(finding.fingerprint, selected.size());
        if (is_new) {
            selected.push_back(std::move(finding));
        } else {
            // In the baseline of one session and not of another.
            auto& leaks = selected[at->second].leaks;
            leaks.insert(leaks.end(), finding.leaks.begin(), finding.leaks.end());
        }
    }
    return selected;
}

}  // namespace

Diff compare(const Report& before, const Report& after, Severity lowest) {
    Diff diff;
    diff.old_findings = select(before, lowest);
    diff.new_findings = select(after, lowest);
    std::unordered_map<std::string_view, const Finding*> old_ones, new_ones;
    for (const Finding& finding : diff.old_findings) old_ones.emplace(finding.fingerprint, &finding);
    for (const Finding& finding : diff.new_findings) new_ones.emplace(finding.fingerprint, &finding);
    for (const Finding& finding : diff.new_findings) {
        const auto old = old_ones.find(finding.fingerprint);
        if (old == old_ones.end()) {
            diff.added.push_back({&finding, 0, finding.leaks.size()});
        } else {
            diff.unchanged.push_back({&finding, old->second->leaks.size(), finding.leaks.size()});
        }
    }
    for (const Finding& finding : diff.old_findings) {
        if (new_ones.contains(finding.fingerprint)) continue;
        diff.gone.push_back({&finding, finding.leaks.size(), 0});
    }
    return diff;
}

}  // namespace leftover::findings
