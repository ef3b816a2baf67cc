// Leaks made at the same place, as one finding.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "reporter/findings/frames.h"
#include "reporter/model/model.h"

namespace leftover::findings {

// Where in the user's own code it was created: the innermost of the telling frames, and without one
// the innermost frame that has a name.
struct Location {
    std::string function;  // empty: not known
    std::string file;      // a source file, or the module's; as in the report; empty: not known
    int line = 0;          // 0: not known
    bool is_source = false;
};

Location location_of(const FrameReader& reader, const Stack& stack);

struct Finding {
    std::string_view fingerprint;
    Kind kind;
    Severity severity;               // the highest of its leaks
    const Stack* stack;              // of the first leak that has one; null: not known
    Location location;
    std::string pattern;             // of the names
    std::vector<const Leak*> leaks;  // in the report's order
    std::size_t sessions = 0;        // in how many
};

struct Selection {
    bool notes = false;
    bool excused = false;  // also what is suppressed or in the baseline
};

// One finding for each fingerprint, the most severe first, of these the most first. What is excused
// and what is not are findings of their own. They point into the report, whose leaks must have
// fingerprints; where they have none, their own stacks and names are the place.
std::vector<Finding> find(const Report& report, const Selection& selection);

// What became of a finding: the same for all of its leaks where it is suppressed or baseline, else
// Status::leaked.
Status excuse_of(const Finding& finding);

// "make_locks at train.py:8"; "-" where nothing is known. Printable.
std::string words_of(const Location& location);

// The file as the session's own folder sees it: relative to it when it lies there, else its base
// name; printable, and the same on another machine.
std::string portable_file(const Location& location, std::string_view folder);

}  // namespace leftover::findings
