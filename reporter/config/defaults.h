// Options that count unless the command line says otherwise: from the environment
// (LEFTOVER_RUN_KILL_AFTER=2 for `run --kill-after 2`) and from a project's file of options. They
// become words in front of those of the command line, so that one parser judges all.
#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reporter/config/config_file.h"

namespace leftover::config {

using Variable = std::function<const char*(const char* name)>;  // getenv

struct Defaults {
    std::vector<std::string> words;  // "--grace=3", the file's before the environment's
    std::vector<std::string> remarks;
};

// For `command`, from the file (if any) and the environment. Of top-level settings those count that
// the command has an option for; what is in its own section has to be one. Throws std::runtime_error,
// one line for the user.
Defaults defaults_for(const CLI::App& command, const std::optional<ConfigFile>& file,
                      const Variable& variable);

// "LEFTOVER_RUN_KILL_AFTER"
std::string variable_name(std::string_view command, std::string_view option);

}  // namespace leftover::config
