// Manual pages in man(7) macros.
#pragma once

#include <string>
#include <vector>

#include "reporter/help/commands.h"

namespace leftover::help {

// leftover(1): what the commands are, and what is the same for all.
std::string man_page(const std::vector<CommandHelp>& commands);

// leftover-COMMAND(1).
std::string man_page(const CommandHelp& command);

}  // namespace leftover::help
