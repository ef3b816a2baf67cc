// What a live session, or any process, holds now, and what each of its threads is doing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reporter/model/model.h"
#include "reporter/run/session_file.h"

namespace leftover::run {

// What is to be looked at.
struct DumpTarget {
    std::string folder;                  // of the session; empty: the process is of none that is known
    std::optional<SessionFile> session;  // what its launcher wrote; not of a session by hand
    int pid = 0;                         // of one process and what descends from it; 0: the whole session
};

// By the id of a live session or a pid; the pid of a session's launcher stands for its session. Throws
// std::runtime_error, one line for the user, when there is none.
DumpTarget find_dump_target(const std::string& id_or_pid);

// The report, `hang` in it, names of functions too. Where this process may not trace those of the
// session, its launcher does it. Throws std::runtime_error when nothing can be told at all.
Report dump(const DumpTarget& target);

// Adds to `hang` where each process and thread was created, by the report's own leaks; takes running threads,
// which JudgeOptions adds for this, out of these.
void add_creation_stacks(Report& report);

}  // namespace leftover::run
