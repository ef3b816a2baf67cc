// What the commands that read reports work on: everything they were given, as one.
#pragma once

#include <string>
#include <vector>

#include <CLI/App.hpp>

#include "reporter/model/model.h"
#include "reporter/policy/policy.h"
#include "reporter/symbols/options.h"

namespace leftover::commands {

// "leftover: LINE" on standard error. The line must be printable.
void say(const std::string& line);

struct View {
    Report report;         // frames have names, leaks fingerprints
    bool found = false;    // there was a report at all
    bool trouble = false;  // something could not be read, or is damaged; it was said
};

// Reads, merges, symbolizes, and says one line on standard error for each thing that went wrong.
View load_view(const std::vector<std::string>& paths, const SymbolOptions& symbols);

// --sysroot and --debug-path.
void add_symbol_options(CLI::App& command, SymbolOptions& options);

// The files of --suppressions and --baseline, as their options collect them.
struct PolicyFiles {
    std::vector<std::string> suppressions, baselines;
};

void add_policy_options(CLI::App& command, PolicyFiles& files);

// Reads them. Throws std::runtime_error, one line for the user.
policy::Policy load_policy(const PolicyFiles& files);

// error, warning or note, as --fail-on takes them; `fallback` is the option's default.
void add_fail_on(CLI::App& command, std::string& value, const std::string& what);
Severity fail_on_of(const std::string& value);

// The paths of a command, which must be given.
void add_paths(CLI::App& command, std::vector<std::string>& paths);

}  // namespace leftover::commands
