// --on-complete: the user's own command, run when all is known.
#pragma once

#include <cstdint>
#include <string>

#include "reporter/model/model.h"
#include "reporter/run/signals.h"

namespace leftover::run {

struct Completion {
    std::string session;
    Exit exit;  // of `leftover run`
    std::uint64_t leaks = 0;
    std::string report;  // absolute; empty: none was written
};

// Has the shell run `command` with what it is told in variables of the environment, without the shim,
// and waits for it, but not for what it starts in the background. Says when it failed, which is of no
// other consequence. TERM, INT, HUP and QUIT sent to us meanwhile are passed on to it.
void call_back(const std::string& command, const Completion& completion, const Signals& signals);

}  // namespace leftover::run
