// The long help of a command, for a terminal.
#pragma once

#include <cstddef>
#include <string>

#include "reporter/help/commands.h"

namespace leftover::help {

// All that the manual page says, wrapped at that many columns.
std::string plain_page(const CommandHelp& command, std::size_t columns);

}  // namespace leftover::help
