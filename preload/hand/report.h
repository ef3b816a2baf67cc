// The JSON report, as far as the program itself can tell: native frames without names, leaks
// without fingerprints. Any context; under the lock of the one who ends.
#pragma once

#include <string_view>

#include "preload/core/law.h"
#include "preload/hand/json.h"
#include "preload/hand/judge.h"
#include "preload/hand/stack_table.h"

namespace leftover::hand {

// How this process ends; `running` when it does not.
struct End {
    record::Ending how;
    int value;
};

// What the report is made of.
struct Outcome {
    const Case& about;
    End end;
    bool whole_session;  // else of this process alone
    std::uint64_t now_ns;
};

// Writes the report to where the options say. False when it could not be written.
bool write_report(const Outcome& outcome);

// Its parts.
void write_exit(Json& json, const End& end);
void write_session(Json& json, const Outcome& outcome);
void write_processes(Json& json, const Outcome& outcome);
void write_leak(Json& json, const Leak& leak, StackTable& stacks);

// The record of the session's first process, or the oldest there is; null when there is none.
const Record* session_record(const Outcome& outcome);

}  // namespace leftover::hand
