// What `sweep` found, as people and programs read it: pure functions of that.
#pragma once

#include <iosfwd>

#include "reporter/render/format.h"
#include "reporter/sweep/sweep.h"

namespace leftover::render {

// Sessions' and orphans' processes, a line each, names in groups, and a total. `now` for the ages.
void sweep_text(const sweep::Found& found, bool cleaned, Time now, const Options& options,
                std::ostream& out);

// {"schema": "leftover.sweep/1", "leftovers": [...], "reclaimed_bytes": N}, an item a line.
void sweep_json(const sweep::Found& found, Time now, std::ostream& out);

}  // namespace leftover::render
