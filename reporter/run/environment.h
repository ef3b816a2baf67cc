// The environment of the program: the user's own, with what loads the shim and tells it its session.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "preload/record/kinds.h"

namespace leftover::run {

// What the shim is told, in one variable of its own, which it takes out of the program's sight.
struct ShimOptions {
    std::string session;
    std::string folder;  // absolute
    int launcher = 0;    // the process whose child the session's first program is
    unsigned depth = 64;
    bool python = true;
    bool limited = false;  // there is a process_limit.h
    std::uint32_t kinds = record::all_kinds;
    bool clean = false;  // what is left over will be cleaned up: nobody need complain about it
};

// The shim's absolute path: beside this executable, or in ../lib/leftover. Throws std::runtime_error,
// one line for the user, when it is in neither.
std::string find_shim();

// The loader takes a list apart at blanks and colons, and replaces what a dollar begins.
bool fits_into_preload(const std::string& path);

// The shim comes first in LD_PRELOAD, except for AddressSanitizer's runtime, which does not start
// behind another library: `asan_runtime` when the program needs it (empty: it does not), or one that
// is in the user's own list.
std::string preload_list(const std::string& shim, const std::string& asan_runtime,
                         const std::string& users);

// `environment` (as environ) with the shim in it.
std::vector<std::string> environment_with_shim(const char* const* environment,
                                               const std::string& shim,
                                               const std::string& asan_runtime,
                                               const ShimOptions& options);

// `environment` as it is, less what an outer session's shim is told.
std::vector<std::string> environment_without_shim(const char* const* environment);

// The folder of the session that this process itself runs in; empty: of none.
std::string outer_session_folder();

// The same from the text of /proc/self/environ.
std::string outer_session_folder(const std::string& initial_environment);

}  // namespace leftover::run
