// Starting the program: forked first, executed when its session is ready for it.
#pragma once

#include <sys/types.h>

#include <array>
#include <string>
#include <vector>

#include "reporter/run/descriptor.h"
#include "reporter/run/signals.h"

namespace leftover::run {

struct Command {
    std::string path;  // the file; arguments[0] is the name the user gave
    std::vector<std::string> arguments;
    std::vector<std::string> environment;
    std::array<int, 3> streams = {-1, -1, -1};  // what 0, 1 and 2 are to be; -1: as they are here
};

class Launch {
public:
    // Forks the child, which waits. Throws std::runtime_error, one line for the user.
    Launch(const Command& command, const Signals& signals);

    // A child that was not started ends.
    ~Launch();
    Launch(const Launch&) = delete;
    Launch& operator=(const Launch&) = delete;

    pid_t pid() const { return pid_; }

    // Lets the child execute the program. Returns 0, or the errno of exec: then the child is gone.
    int start();

private:
    pid_t pid_ = -1;
    Descriptor go_, failure_;
};

}  // namespace leftover::run
