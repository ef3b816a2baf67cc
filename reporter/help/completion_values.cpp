#include "reporter/help/completion_values.h"

#include <fmt/format.h>

#include "preload/record/kinds.h"
#include "reporter/render/format.h"

namespace leftover::help {

Value value_of(const OptionHelp& option) {
    if (option.value.empty()) return Value::none;
    if (!option.choices.empty()) return Value::choice;
    const auto is = [&](std::string_view name) { return option.names.back() == name; };
    if (is("--format") || is("--kinds")) return Value::choice;
    if (option.value == "DIR" || option.value == "FOLDER") return Value::folder;
    if (option.value.find("FILE") != std::string::npos || option.value == "PATH") return Value::file;
    if (is("--on-complete")) return Value::command;
    return Value::anything;
}

std::vector<std::string> choices_of(const OptionHelp& option) {
    std::vector<std::string> choices = option.choices;
    if (!choices.empty()) return choices;
    if (option.names.back() == "--kinds") {
        for (const record::KindRow& row : record::kind_table) choices.emplace_back(row.name);
    } else {
        for (const render::Format& format : render::formats()) {
            if (format.render != nullptr) choices.emplace_back(format.name);
        }
    }
    return choices;
}

Value arguments_of(const CommandHelp& command) {
    if (command.name == "run") return Value::command;
    for (const OptionHelp& option : command.options) {
        if (!option.positional) continue;
        if (!option.choices.empty()) return Value::choice;
        return option.names.front().starts_with("ID") ? Value::session : Value::file;
    }
    return Value::none;
}

std::string positional_choices(const CommandHelp& command) {
    for (const OptionHelp& option : command.options) {
        if (option.positional && !option.choices.empty()) return joined(option.choices, " ");
    }
    return {};
}

std::string joined(const std::vector<std::string>& words, std::string_view between) {
    return fmt::format("{}", fmt::join(words, between));
}

std::string in_quotes(std::string_view text) {
    std::string quoted = "'";
    for (const char c : text) {
        if (c == '\'') {
            quoted += "'\\''";
        } else {
            quoted += c;
        }
    }
    return quoted + "'";
}

}  // namespace leftover::help
