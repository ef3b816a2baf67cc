// What the commands that read reports are given: JSON reports, records, folders of either.
#pragma once

#include <string>
#include <vector>

#include "reporter/model/model.h"

namespace leftover::commands {

struct Inputs {
    std::vector<Report> reports;
    std::vector<std::string> troubles;  // one line each: what could not be read, and why
};

// Reads every path: a JSON report, a record of a process, a session's folder, or a folder with any
// of these in it at whatever depth. In folders other files, JSON too, are passed over; a path named
// by the user must be readable, and a folder must have something in it. Records are checked against
// this machine as it is now.
Inputs read_inputs(const std::vector<std::string>& paths);

}  // namespace leftover::commands
