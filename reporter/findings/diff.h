// Two reports, compared by the fingerprints of their findings.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "reporter/findings/findings.h"
#include "reporter/model/model.h"

namespace leftover::findings {

struct Compared {
    const Finding* finding;  // of the new report; of the old one when it is gone
    std::size_t before = 0, after = 0;  // how many leaks
};

struct Diff {
    std::vector<Finding> old_findings, new_findings;
    std::vector<Compared> added, gone, unchanged;
};

// Findings of that severity or above, suppressed ones left out, those of a baseline not. The diff
// points into the reports.
Diff compare(const Report& before, const Report& after, Severity lowest);

}  // namespace leftover::findings
