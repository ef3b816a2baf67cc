// A project's own options: a file leftover.toml or .leftover in the working folder or above it.
//
//   suppressions = "ci/leaks.supp"     # top level: for every command that has the option
//   [run]
//   grace = 3
//   clean = true
//   label = ["team=core", "stage=nightly"]
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace leftover::config {

struct Setting {
    std::string section;  // "run"; empty: top level
    std::string name;     // an option's long name, without dashes
    std::vector<std::string> values;
};

struct ConfigFile {
    std::string path;
    std::vector<Setting> settings;
    std::vector<std::string> remarks;  // what of it is not taken, and why; one line each
};

// The nearest one upwards from `folder`. One that somebody else owns or may write is not read: a
// remark says so, and it has no settings. Throws std::runtime_error, one line for the user, when it
// cannot be understood.
std::optional<ConfigFile> find_config(const std::filesystem::path& folder, uid_t user);

}  // namespace leftover::config
