// Leaks of one kind that were made at the same place, together.
#pragma once

#include <cstddef>
#include <vector>

#include "reporter/model/model.h"

namespace leftover::render {

struct Group {
    Kind kind;
    Severity severity;
    const Stack* stack;              // of the first leak; null: not known
    std::vector<const Leak*> leaks;  // in the report's order
};

// The leaks that count (not suppressed, not in the baseline), notes only if asked for: the most
// severe first, of these the largest first. Stacks are the same when their frames are, whatever the
// addresses: every run and process has others. The groups point into the report.
std::vector<Group> group_leaks(const Report& report, bool notes);

}  // namespace leftover::render
