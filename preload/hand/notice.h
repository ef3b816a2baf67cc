// The one thing that is ever said on the program's standard error: what is wrong with
// LEFTOVER_OPTIONS, and its help.
#pragma once

#include <string_view>

#include "preload/core/law.h"

namespace leftover::hand {

// Writes "leftover: LEFTOVER_OPTIONS: " and the pieces as one line. What would steer a terminal is
// shown as `?`. At the start of the process only: later, descriptor 2 may be the program's own
// file.
void notice(std::string_view first, std::string_view second = {}, std::string_view third = {},
            std::string_view fourth = {});

// Writes the list of options.
void show_help();

}  // namespace leftover::hand
