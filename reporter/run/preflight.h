// What can be known to be wrong before the program is started.
#pragma once

#include <vector>

#include "reporter/render/format.h"

namespace leftover::run {

// These throw std::runtime_error, one line for the user.

// /proc has to show this process's own pid namespace.
void check_proc();

// Every file can be written, as far as one can tell without doing it.
void check_outputs(const std::vector<render::Output>& outputs);

}  // namespace leftover::run
