#include "reporter/help/commands.h"

#include <algorithm>
#include <string_view>

namespace leftover::help {
namespace {

// "error|warning|note" names all there is; "text|json" likewise.
std::vector<std::string> choices_in(std::string_view value) {
    const bool is_list =
        value.find('|') != std::string_view::npos &&
        value.find_first_not_of("abcdefghijklmnopqrstuvwxyz|") == std::string_view::npos;
    if (!is_list) return {};
    std::vector<std::string> choices;
    while (!value.empty()) {
        const auto end = std::min(value.find('|'), value.size());
        choices.emplace_back(value.substr(0, end));
        value.remove_prefix(std::min(end + 1, value.size()));
    }
    return choices;
}

std::string one_line(std::string text) {
    for (char& c : text) {
        if (c == '\n') c = ' ';
    }
    return text;
}

// Without what CLI11 adds of an option's checks: "N:INT in [1 - 255]".
std::string value_of(const CLI::Option& option) {
    if (option.get_items_expected_max() == 0) return "";
    std::string text = option.get_option_text();
    if (text.find_first_not_of(' ') == std::string::npos) text = option.get_type_name();
    return text.substr(0, text.find(':', text.starts_with("[") ? text.find(']') : 0));
}

}  // namespace

OptionHelp option_help(const CLI::Option& option) {
    OptionHelp help;
    help.positional = option.get_positional();
    if (help.positional) {
        help.names.push_back(option.get_name());
    } else {
        for (const std::string& name : option.get_snames()) help.names.push_back("-" + name);
        for (const std::string& name : option.get_lnames()) help.names.push_back("--" + name);
    }
    help.value = value_of(option);
    help.choices = choices_in(help.value);
    help.description = one_line(option.get_description());
    help.fallback = option.get_default_str();
    help.repeatable = option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
    return help;
}

CommandHelp command_help(const CLI::App& command) {
    CommandHelp help;
    help.name = command.get_name();
    help.description = one_line(command.get_description());
    help.footer = command.get_footer();
    for (const CLI::Option* option : command.get_options()) {
        if (!option->get_group().empty()) help.options.push_back(option_help(*option));
    }
    return help;
}

std::vector<CommandHelp> all_commands(const CLI::App& app) {
    std::vector<CommandHelp> commands;
    for (const CLI::App* command : app.get_subcommands({})) {
        if (!command->get_group().empty()) commands.push_back(command_help(*command));
    }
    return commands;
}

}  // namespace leftover::help
