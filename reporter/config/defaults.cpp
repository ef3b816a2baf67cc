#include "reporter/config/defaults.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <stdexcept>

namespace leftover::config {
namespace {

// Names of files in a project's file are meant from where that lies.
constexpr std::array path_options{"output", "suppressions", "baseline", "capture"};

// They ask for something else to be done instead.
constexpr std::array never_defaults{"help", "help-all", "show-config"};

template <class List>
bool is_in(const List& list, std::string_view name) {
    return std::find(list.begin(), list.end(), name) != list.end();
}

bool is_flag(const CLI::Option& option) { return option.get_items_expected_max() == 0; }

const CLI::Option* option_named(const CLI::App& command, const std::string& name) {
    if (is_in(never_defaults, name)) return nullptr;
    for (const CLI::Option* option : command.get_options()) {
        if (option->check_lname(name)) return option;
    }
    return nullptr;
}

// "json:leaks.json" names a file behind its format.
std::string from_folder(const std::filesystem::path& folder, const std::string& value) {
    const auto colon = value.find(':');
    const bool has_format = colon != std::string::npos &&
                            value.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == colon;
    const auto begin = has_format ? colon + 1 : 0;
    const std::string path = value.substr(begin);
    if (path.empty() || path == "-" || path.front() == '/') return value;
    return value.substr(0, begin) + (folder / path).lexically_normal().string();
}

std::string word(const CLI::Option& option, const std::string& name, const std::string& value) {
    if (is_flag(option) && value == "true") return fmt::format("--{}", name);
    return fmt::format("--{}={}", name, value);
}

void take(const Setting& setting, const CLI::App& command, const ConfigFile& file,
          Defaults& defaults) {
    const CLI::Option* option = option_named(command, setting.name);
    if (option == nullptr) {
        if (setting.section.empty()) return;  // some other command's
        throw std::runtime_error(fmt::format("{}: leftover {} has no option '{}'", file.path,
                                             command.get_name(), setting.name));
    }
    const auto folder = std::filesystem::path(file.path).parent_path();
    for (const std::string& value : setting.values) {
        const bool is_path = is_in(path_options, setting.name);
        defaults.words.push_back(
            word(*option, setting.name, is_path ? from_folder(folder, value) : value));
    }
}

}  // namespace

std::string variable_name(std::string_view command, std::string_view option) {
    std::string name = fmt::format("LEFTOVER_{}_{}", command, option);
    for (char& c : name) {
        if (c == '-') c = '_';
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return name;
}

Defaults defaults_for(const CLI::App& command, const std::optional<ConfigFile>& file,
                      const Variable& variable) {
    Defaults defaults;
    if (file) {
        defaults.remarks = file->remarks;
        for (const Setting& setting : file->settings) {
            if (setting.section.empty() || setting.section == command.get_name()) {
                take(setting, command, *file, defaults);
            }
        }
    }
    if (command.get_name() != "run") return defaults;
    for (const CLI::Option* option : command.get_options()) {
        for (const std::string& name : option->get_lnames()) {
            if (is_in(never_defaults, name)) continue;
            const char* value = variable(variable_name("run", name).c_str());
            if (value == nullptr || *value == 0) continue;
            // As one would write a flag in the environment.
            const bool is_set = is_flag(*option) && std::string_view(value) == "1";
            defaults.words.push_back(word(*option, name, is_set ? "true" : value));
        }
    }
    return defaults;
}

}  // namespace leftover::config
