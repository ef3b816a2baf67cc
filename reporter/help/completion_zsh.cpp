// Completion in zsh.
#include <fmt/format.h>

#include "reporter/help/completion.h"
#include "reporter/help/completion_values.h"

namespace leftover::help {
namespace {

// In a zsh description `[`, `]` and `:` have a meaning.
std::string zsh_text(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        if (c == '[' || c == ']' || c == ':' || c == '\\') escaped += '\\';
        escaped += c;
    }
    return escaped;
}

std::string zsh_action(const OptionHelp& option) {
    switch (value_of(option)) {
        case Value::choice: return fmt::format("({})", joined(choices_of(option), " "));
        case Value::file: return "_files";
        case Value::folder: return "_files -/";
        case Value::command: return "_cmdstring";
        default: return "";
    }
}

std::string zsh_option(const OptionHelp& option, const std::string& name) {
    std::string text = option.repeatable ? "*" : "";
    text += fmt::format("{}[{}]", name, zsh_text(option.description));
    if (!option.value.empty()) {
        text += fmt::format(":{}:{}", zsh_text(option.value), zsh_action(option));
    }
    return in_quotes(text);
}

std::string zsh_arguments(const CommandHelp& command) {
    switch (arguments_of(command)) {
        case Value::command: return " '(-)1:command:_command_names -e' '*::arguments:_normal'";
        case Value::session: return " '1:session:_leftover_sessions'";
        case Value::file: return " '*:file:_files'";
        case Value::choice: return fmt::format(" '1:name:({})'", positional_choices(command));
        default: return "";
    }
}

}  // namespace

std::string zsh_completion(const std::vector<CommandHelp>& commands) {
    std::string text =
        "#compdef leftover\n"
        "# zsh completion for leftover; made by `leftover completion zsh`\n"
        "_leftover_sessions() {\n"
        "    local -a sessions\n";
    text += fmt::format("    sessions=(${{(f)\"$({})\"}})\n", list_sessions);
    text +=
        "    compadd -a sessions\n"
        "}\n"
        "_leftover() {\n"
        "    local context state state_descr line\n"
        "    typeset -A opt_args\n"
        "    _arguments -C '(- *)'{-h,--help}'[print the help]' '(- *)--version[print the version]' \\\n"
        "        '1:command:->command' '*::argument:->argument'\n"
        "    case $state in\n"
        "        command)\n"
        "            local -a commands=(\n";
    for (const CommandHelp& command : commands) {
        text += fmt::format("                {}\n",
                            in_quotes(command.name + ":" + zsh_text(command.description)));
    }
    text +=
        "            )\n"
        "            _describe command commands ;;\n"
        "        argument)\n"
        "            case $line[1] in\n";
    for (const CommandHelp& command : commands) {
        text += fmt::format("                {})\n                    _arguments -S", command.name);
        for (const OptionHelp& option : command.options) {
            if (option.positional) continue;
            for (const std::string& name : option.names) {
                text += " \\\n                        " + zsh_option(option, name);
            }
        }
        text += " \\\n                       " + zsh_arguments(command) + " ;;\n";
    }
    text +=
        "            esac ;;\n"
        "    esac\n"
        "}\n"
        "_leftover \"$@\"\n";
    return text;
}

}  // namespace leftover::help
