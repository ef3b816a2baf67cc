// Ending a session from outside.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "reporter/run/sessions.h"

namespace leftover::run {

// What `stop` leaves in a session's folder before it sends TERM to its leftover: end, and clean up, with
// this many seconds from TERM to KILL. Throws std::runtime_error, one line for the user.
void write_stop_request(const std::string& folder, double kill_after);
std::optional<double> read_stop_request(const std::string& folder);

struct Stopped {
    bool ended = false;      // else it is not over yet, and nobody knows why
    std::uint64_t left = 0;  // errors that are left over
};

// Ends a session that lives: its leftover passes TERM on to the program, kills it when that was not
// enough, and cleans up; where there is no leftover any more, or never was one, this process does it.
// Throws std::runtime_error, one line for the user, when it cannot be reached.
Stopped stop(const SessionEntry& session, double kill_after);

}  // namespace leftover::run
