// Which file a command is.
#pragma once

#include <string>

namespace leftover::run {

struct ProgramPath {
    std::string path;  // as it is to be executed
    int error = 0;     // errno when there is none: ENOENT when nothing was found
};

// Looks for `name` like execvp: as it is when it holds a slash, else in the folders of `search` (PATH;
// null: the system's default).
ProgramPath find_program(const std::string& name, const char* search);

}  // namespace leftover::run
