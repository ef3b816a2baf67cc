// From records to a report: what the session created is checked against the kernel, and what is
// still there is a leak.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <vector>

#include "reporter/kernel/file.h"
#include "reporter/kernel/roots.h"
#include "reporter/model/model.h"

namespace leftover {

inline constexpr const char* running_thread = "running_thread";

struct JudgeOptions {
    bool include_notes = true;  // else leaks of severity note are left out
    // Also the threads that run, as notes with details.attribution `running_thread` and, in details.id, the
    // thread's number: for who wants to know where they were started. Only of this pid namespace.
    bool running_threads = false;
    // Live processes that belong to the session though perhaps no record tells, as this process's
    // /proc numbers them: the launcher's descendants. Each counts once, whoever names it.
    std::vector<int> live_processes;
    // Never leaks, numbered likewise: the launcher, its helpers. The judging process never is one.
    std::set<int> ignored_processes;
    // The session's own standard output and error, for what its processes keep of them.
    std::optional<kernel::FileId> standard_output, standard_error;
    kernel::Roots roots;
};

// Judges all `*.record` files of a session's folder, with the launcher's session.json if it is
// there. A file that cannot be read makes the report incomplete and leaves a remark. Throws
// std::runtime_error (one line) when the folder cannot be read or tells nothing of a session.
Report judge_folder(const std::filesystem::path& session_folder, const JudgeOptions& options = {});

// Of a session that nothing is recorded of: the live processes alone. `session_json`: what session.json would
// hold. Throws std::runtime_error when it does not tell of a session.
Report judge_without_records(const std::string& session_json, const JudgeOptions& options);

// The same for single records, also of several sessions. Throws std::runtime_error when none of
// them can be read, or none is given.
Report judge_records(const std::vector<std::filesystem::path>& files,
                     const JudgeOptions& options = {});

}  // namespace leftover
