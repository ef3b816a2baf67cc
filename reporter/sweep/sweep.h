// What earlier sessions left on this machine, and orphans that never ran under leftover.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "reporter/model/model.h"

namespace leftover::sweep {

struct Options {
    std::optional<std::regex> pattern;  // only what has it in its name, path or command line
    bool all_users = false;             // other users' too
    double kill_after = 5;              // seconds, as of `run`
    std::function<void(const std::string& line)> log;  // one line an item, while cleaning up
};

struct Leftover {
    Leak leak;
    std::string session;  // empty: none
    std::string reason;
    std::string action;   // terminate, kill, unlink, remove; empty: it is only told of
    std::string result;   // done, gone, in_use, failed; empty: nothing was tried
};

struct Found {
    std::vector<Leftover> leftovers;
    std::uint64_t reclaimed_bytes = 0;
    double seconds = 0;                // that cleaning up took
    std::vector<std::string> remarks;  // what could not be looked at, a line each
};

// Looks, and touches nothing.
Found look(const Options& options);

// Looks, and cleans up. Folders of sessions of which nothing is left go, unless they were to be kept.
Found clean_up(const Options& options);

// Nothing is left over (any more): all that is told of is gone, in use by others, or runs with good reason.
bool is_nothing_left(const Found& found);

}  // namespace leftover::sweep
