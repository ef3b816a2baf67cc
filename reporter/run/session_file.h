// session.json in a session's folder: what the launcher knows of its session. Written before the
// program starts, so that a launcher that is killed leaves its session readable.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "reporter/model/model.h"

namespace leftover::run {

inline constexpr const char* session_file_name = "session.json";

struct ProcessId {
    int pid = 0;
    std::uint64_t start_ticks = 0;
};

struct SessionFile {
    Session session;  // without what is only known at the end
    ProcessId launcher, program;
    std::string boot_id;
    std::uint64_t pid_namespace = 0;  // of these pids; 0: not known
    std::string executable;  // of the program
    bool instrumented = true;
    std::string reason;  // why not
    bool kept = false;  // the folder stays, whatever is in it
    // Absolute; empty: not captured, no report.
    std::string standard_output, standard_error, report;
    bool ended = false;  // session.exit and session.duration_seconds are known
};

// What write_session_file() writes.
std::string session_file_text(const SessionFile& file);

// Replaces the file as a whole. Throws std::runtime_error, one line for the user; NoRoom on a full disk.
void write_session_file(const std::string& folder, const SessionFile& file);

// Nothing when it is missing or damaged.
std::optional<SessionFile> read_session_file(const std::string& folder);

}  // namespace leftover::run
