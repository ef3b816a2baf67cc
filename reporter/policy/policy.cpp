#include "reporter/policy/policy.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include <fmt/format.h>
#include <fnmatch.h>

#include "reporter/findings/frames.h"
#include "reporter/findings/reasons.h"
#include "reporter/model/utf8.h"

namespace leftover::policy {

namespace {

bool matches(const std::string& glob, std::string_view text) {
    return fnmatch(glob.c_str(), std::string(text).c_str(), 0) == 0;
}

// A path by its last part, too.
bool matches_path(const std::string& glob, std::string_view path) {
    if (path.empty()) return false;
    const auto slash = path.rfind('/');
    return matches(glob, path) || (slash != path.npos && matches(glob, path.substr(slash + 1)));
}

bool matches_frame(const std::string& glob, const findings::Frame& frame) {
    if (!frame.function.empty()) {
        if (matches(glob, frame.function)) return true;
        if (!frame.python && matches(glob, findings::identity_of(frame))) return true;
    }
    return matches_path(glob, frame.file) || matches_path(glob, frame.module);
}

std::string line_of(const std::vector<std::string>& command) {
    return fmt::format("{}", fmt::join(command, " "));
}

// Matches leaks of one report, and remembers what a stack was asked before.
class Matcher {
public:
    explicit Matcher(const Report& report) : reader_(report) {
        for (const Stack& stack : report.stacks) stacks_.emplace(stack.id, &stack);
        for (const Leak& leak : report.leaks) {
            if (leak.kind == Kind::process) ++processes_[leak.session];
        }
    }

    bool operator()(const Suppression& entry, const Leak& leak) {
        if (entry.kind && *entry.kind != leak.kind) return false;
        if (entry.where != Suppression::Where::name) return matches_stack(entry, leak);
        if (!matches(entry.glob, leak.name)) return false;
        if (entry.when_alone && processes_.at(leak.session) > 1) return false;
        return entry.command.empty() ||
               (leak.details.more->command && matches(entry.command, line_of(*leak.details.more->command)));
    }

private:
    bool matches_stack(const Suppression& entry, const Leak& leak) {
        if (!leak.stack) return false;
        auto& known = answers_[&entry];
        const auto [at, is_new] = known.try_emplace(*leak.stack, false);
        if (!is_new) return at->second;
        const auto stack = stacks_.find(*leak.stack);
        if (stack == stacks_.end()) return false;
        if (entry.where == Suppression::Where::frame) {
            const auto frames = reader_.all_frames(*stack->second);
            at->second = std::any_of(frames.begin(), frames.end(), [&](const findings::Frame& frame) {
                return matches_frame(entry.glob, frame);
            });
        } else {
            const auto frames = reader_.frames(*stack->second);
            const auto top = std::find_if(frames.begin(), frames.end(), [](const findings::Frame& frame) {
                return findings::is_telling(frame);
            });
            at->second = top != frames.end() && matches_frame(entry.glob, *top);
        }
        return at->second;
    }

    findings::FrameReader reader_;
    std::unordered_map<int, const Stack*> stacks_;
    std::unordered_map<std::string_view, std::size_t> processes_;  // left over, by session
    std::unordered_map<const Suppression*, std::unordered_map<int, bool>> answers_;
};

}  // namespace

void Policy::add_suppressions(const std::string& path) {
    auto more = read_suppressions(path);
    std::move(more.begin(), more.end(), std::back_inserter(suppressions_));
}

void Policy::add_baseline(const std::string& path) {
    auto more = read_baseline(path);
    std::move(more.begin(), more.end(), std::back_inserter(baseline_));
    has_baseline_ = true;
}

Outcome Policy::apply(Report& report, std::string_view today) const {
    Outcome outcome;
    outcome.suppressions.resize(suppressions_.size());
    outcome.baseline.resize(baseline_.size());
    std::unordered_map<std::string_view, std::vector<std::size_t>> in_baseline;
    for (std::size_t i = 0; i < baseline_.size(); ++i) {
        in_baseline[baseline_[i].fingerprint].push_back(i);
    }
    report.has_baseline = report.has_baseline || has_baseline_;

    Matcher matches_leak(report);
    for (Leak& leak : report.leaks) {
        const auto entries = in_baseline.find(leak.fingerprint);
        if (entries != in_baseline.end()) {
            for (const std::size_t i : entries->second) outcome.baseline[i] = true;
        }
        const Suppression* by = nullptr;
        for (std::size_t i = 0; i < suppressions_.size(); ++i) {
            if (!matches_leak(suppressions_[i], leak)) continue;
            ++outcome.suppressions[i];
            if (by == nullptr && !has_expired(suppressions_[i], today)) by = &suppressions_[i];
        }
        if (leak.status == Status::baseline) continue;
        if (by == nullptr && leak.kind == Kind::process) {
            const auto& known = built_in_suppressions();
            const auto at = std::find_if(known.begin(), known.end(), [&](const Suppression& entry) {
                return matches_leak(entry, leak);
            });
            if (at != known.end()) by = &*at;
        }
        // A report does not keep the reason: of what it has as suppressed it is found again.
        if (by != nullptr) {
            leak.status = Status::suppressed;
            findings::keep_reason(report, leak, by->reason.empty() ? by->text : by->reason);
        } else if (leak.status == Status::suppressed) {
            continue;
        } else if (entries != in_baseline.end()) {
            leak.status = Status::baseline;
        }
    }
    return outcome;
}

std::vector<std::string> Policy::account(const Outcome& outcome, std::string_view today) const {
    std::vector<std::string> lines;
    if (suppressions_.empty()) return lines;
    std::size_t used = 0;
    std::size_t unused = 0;
    std::size_t expired = 0;
    for (std::size_t i = 0; i < suppressions_.size(); ++i) {
        const Suppression& entry = suppressions_[i];
        const std::uint64_t count = outcome.suppressions[i];
        if (has_expired(entry, today)) {
            ++expired;
            lines.push_back(fmt::format("expired on {}: {} ({}; {})", entry.expires,
                                        printable(entry.text), printable(entry.source),
                                        count > 0 ? fmt::format("would match {}", count) : "matches nothing"));
        } else if (count == 0) {
            ++unused;
            lines.push_back(fmt::format("unused: {} ({})", printable(entry.text), printable(entry.source)));
        } else {
            ++used;
        }
    }
    lines.insert(lines.begin(),
                 fmt::format("suppressions: {} used, {} unused, {} expired", used, unused, expired));
    return lines;
}

bool Policy::is_stale(const Outcome& outcome, std::string_view today) const {
    for (std::size_t i = 0; i < suppressions_.size(); ++i) {
        if (outcome.suppressions[i] == 0 || has_expired(suppressions_[i], today)) return true;
    }
    return false;
}

std::vector<std::string> Policy::gone(const Outcome& outcome) const {
    std::vector<std::string> lines;
    std::set<std::string_view> known;
    for (std::size_t i = 0; i < baseline_.size(); ++i) {
        const BaselineEntry& entry = baseline_[i];
        if (outcome.baseline[i] || !known.insert(entry.fingerprint).second) continue;
        lines.push_back(fmt::format("{} {}", entry.fingerprint, printable(entry.rest)));
    }
    return lines;
}

}  // namespace leftover::policy
