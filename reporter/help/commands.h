// The commands and their options as data, taken from what parses them: completion scripts and manual
// pages are written from this, so that neither can be behind.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

namespace leftover::help {

struct OptionHelp {
    std::vector<std::string> names;    // "-o", "--output"; a positional's alone, without dashes
    std::string value;                 // what it takes: "SECONDS", "[FORMAT:]FILE"; empty: nothing
    std::string description;
    std::string fallback;              // what counts without it, empty when nothing does
    std::vector<std::string> choices;  // the only values it takes, if these are few
    bool positional = false;
    bool repeatable = false;
};

struct CommandHelp {
    std::string name;
    std::string description;
    std::vector<OptionHelp> options;
    std::string footer;  // examples, exit statuses
};

OptionHelp option_help(const CLI::Option& option);

CommandHelp command_help(const CLI::App& command);

// Those that the help lists, in its order.
std::vector<CommandHelp> all_commands(const CLI::App& app);

}  // namespace leftover::help
