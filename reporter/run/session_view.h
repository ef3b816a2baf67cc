// A session as `ps` shows it: what is known of it, and what of it is alive now.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reporter/model/model.h"
#include "reporter/run/sessions.h"

namespace leftover::run {

struct SessionView {
    std::string id;
    SessionState state = SessionState::ended;
    int pid = 0;  // of the program; 0: not known
    std::vector<std::string> command;
    std::map<std::string, std::string> labels;
    Time started_at = 0;
    double elapsed_seconds = 0;
    Exit exit;
    std::uint64_t processes = 0, threads = 0, semaphores = 0, shared_memory = 0, resident_bytes = 0;
    std::string standard_output, standard_error, report;  // empty: none
};

// Never throws: a session may end while we look.
SessionView view_of(const SessionEntry& entry);

}  // namespace leftover::run
