// Why programs do not go on, in words that all formats share: who waits for whom, and where each thread is.
#pragma once

#include <string>
#include <vector>

#include "reporter/findings/findings.h"
#include "reporter/model/model.h"
#include "reporter/render/hang_graph.h"

namespace leftover::render {

constexpr std::size_t most_reasons = 5;  // of a group, one by one

// Threads that are at the same place.
struct HangGroup {
    std::vector<HangNode> threads;
    std::string title;                 // "python3 (12)", "3 threads: python3 (12), thread 13 of pid 12, ..."
    std::vector<std::string> reasons;  // what they wait for, equal ones once
    std::string start;                 // "nested.py:12": who created them all there; empty: not known, or several
    std::string error;                 // why there is no stack; empty: there is
    Stack stack;                       // of the first; may be empty
    bool is_process = false;           // it is one process's first thread, and nothing else
};

// What hangs in one session. All texts are printable. It points into the report.
struct HangWords {
    const Session* session = nullptr;  // null: not known
    std::size_t processes = 0, threads = 0;
    std::vector<std::string> chains;   // sentences: who waits where for whom; the first tells most
    std::vector<HangGroup> groups;
    findings::Location location;       // where in the user's code the first chain waits, as far as that is known
    std::string fingerprint;           // of that place, like a finding's; empty without any thread
};

// One for each session that hangs, in the report's order; none without a hang.
std::vector<HangWords> hang_words(const Report& report);

// Sessions that timed out at the same place, as one finding.
struct HangFinding {
    const HangWords* first = nullptr;
    std::size_t sessions = 0;
};
std::vector<HangFinding> hang_findings(const std::vector<HangWords>& hangs);

// "python3 train.py timed out, and was ended after 12.5 s: 2 processes, 3 threads", the command in at most so many
// columns.
std::string headline(const HangWords& hang, std::size_t columns);

// All of it but the headline, for formats that take plain lines.
std::string plain_text(const Report& report, const HangWords& hang);

}  // namespace leftover::render
