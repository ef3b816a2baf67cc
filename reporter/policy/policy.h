// Suppressions and baselines together, and what they do to a report.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "reporter/model/model.h"
#include "reporter/policy/baseline.h"
#include "reporter/policy/suppressions.h"

namespace leftover::policy {

// How often each entry of a policy matched.
struct Outcome {
    std::vector<std::uint64_t> suppressions;  // of the user's, in their order; of expired ones what
                                              // they would have matched
    std::vector<bool> baseline;               // whether the entry's leak was there
};

class Policy {
public:
    // Both throw std::runtime_error with one line for the user.
    void add_suppressions(const std::string& path);
    void add_baseline(const std::string& path);

    const std::vector<Suppression>& suppressions() const { return suppressions_; }
    const std::vector<BaselineEntry>& baseline() const { return baseline_; }

    // Whether it can only be carried out when frames have names and leaks fingerprints.
    bool needs_names() const { return !suppressions_.empty() || has_baseline_; }

    // Sets the status of leaks that are suppressed (by the user's entries, or the built-in ones) or
    // in the baseline. A suppression goes before a baseline. `today`: YYYY-MM-DD.
    Outcome apply(Report& report, std::string_view today) const;

    // Entries that are not used, or expired, one line each; "N used" first. Empty without entries.
    std::vector<std::string> account(const Outcome& outcome, std::string_view today) const;

    // Whether an entry is unused or expired, which --strict-suppressions makes a failure.
    bool is_stale(const Outcome& outcome, std::string_view today) const;

    // The baseline's findings that were not met, as their lines have them; each once.
    std::vector<std::string> gone(const Outcome& outcome) const;

private:
    std::vector<Suppression> suppressions_;
    std::vector<BaselineEntry> baseline_;
    bool has_baseline_ = false;
};

}  // namespace leftover::policy
