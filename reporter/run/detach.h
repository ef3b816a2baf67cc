// --detach: a session in the background.
#pragma once

#include <functional>
#include <string>

namespace leftover::run {

// Tells who waits in the foreground that the program runs; from then on this process is on its own, and
// what it says goes into leftover.log in the session's folder.
using Detached = std::function<void(const std::string& id, const std::string& folder)>;

// Runs `session` in a process and a terminal session of its own, and returns as soon as it has called
// what it is given: 0, with the session's id on standard output. When `session` ends before that, so
// do we, as it did. It returns the exit status.
int detach(const std::function<int(const Detached&)>& session);

}  // namespace leftover::run
