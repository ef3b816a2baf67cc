// Cleaning up what a report says is left over: processes first, then names, System V objects,
// temporary files and folders.
//
// Touched is only what the report tells to be the session's, by identity: a process by pid and start
// ticks, a file by device and inode, a System V object by id and change time. What is suppressed, in
// the baseline, or known from a before-and-after difference alone is left as it is; so is what a
// process uses that is not cleaned up itself, and what belongs to another user.
#pragma once

#include <functional>
#include <string>

#include "reporter/model/model.h"

namespace leftover::clean {

struct Options {
    double kill_after = 5;   // seconds from TERM to KILL; 0: KILL at once
    bool all_users = false;  // other users' processes and files as well (`sweep --all-users`)

    // Takes one line for each item, without newline and not escaped, as soon as it is done. May be empty.
    std::function<void(const std::string& line)> log;

    // The same session or sessions, judged anew. Asked whenever processes have ended, for what they
    // started or made meanwhile. Empty: the report names everything.
    std::function<Report()> look;

    // Somebody is impatient: KILL at once. Asked many times a second. May be empty.
    std::function<bool()> hurry;
};

// Cleans up all leaks whose status is `leaked`, notes excepted, and sets their status: `cleaned`, also
// when something else was faster, `in_use` or `failed`, with the reason in `error`. Leaks that turn up
// meanwhile are added. Sets `report.cleanup`, adding to what is there. One item's failure never stops
// the rest; nothing is thrown. Whoever knows the session has to keep other cleaners away from it, by
// the lock on its folder; two at once do no harm, but may each take the other for a user.
void clean(Report& report, const Options& options);

// Every item that is to be cleaned up and could not be: none.
bool is_all_clean(const Report& report);

// "cleaned up 105 of 106 things in 0.042 s, 53.2 MiB of memory freed; 1 in use by others and left alone"
std::string summary_line(const Report& report);

}  // namespace leftover::clean
