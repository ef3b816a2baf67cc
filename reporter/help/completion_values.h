// What the completion scripts of all shells know of options and their values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reporter/help/commands.h"

namespace leftover::help {

// What an option's value is completed with.
enum class Value { none, anything, file, folder, command, session, choice };

Value value_of(const OptionHelp& option);

// Of an option whose value is a choice.
std::vector<std::string> choices_of(const OptionHelp& option);

// What stands behind the options of a command.
Value arguments_of(const CommandHelp& command);

// The values of the positional, when it is one of a few, with blanks between.
std::string positional_choices(const CommandHelp& command);

std::string joined(const std::vector<std::string>& words, std::string_view between);

// As one word of any shell.
std::string in_quotes(std::string_view text);

// A shell's command that prints the sessions' ids, one a line.
inline constexpr std::string_view list_sessions =
    R"sh(leftover ps --all --format json 2>/dev/null | sed 's/{"id": /\n/g' | sed -n 's/^"\([^"]*\)", "state".*/\1/p')sh";

}  // namespace leftover::help
