// `leftover run`: the program, started and accompanied to its end, and what it left over.
#pragma once

#include "reporter/run/options.h"

namespace leftover::run {

// Returns the exit status; when the program was killed by a signal, dies of it instead. Throws
// std::runtime_error, one line for the user, when the program could not even be started.
int run(const Options& options);

}  // namespace leftover::run
