// Completion scripts for shells.
#pragma once

#include <string>
#include <vector>

#include "reporter/help/commands.h"

namespace leftover::help {

// What a shell sources to complete `leftover`'s commands, options, their values, sessions and files.
std::string bash_completion(const std::vector<CommandHelp>& commands);
std::string zsh_completion(const std::vector<CommandHelp>& commands);
std::string fish_completion(const std::vector<CommandHelp>& commands);

}  // namespace leftover::help
