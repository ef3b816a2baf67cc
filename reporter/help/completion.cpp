#include "reporter/help/completion.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "preload/record/kinds.h"
#include "reporter/render/format.h"

namespace leftover::help {
namespace {

// What an option's value is completed with.
enum class Value { none, anything, file, folder, command, session, choice };

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

// What stands behind the options of a command.
Value arguments_of(const CommandHelp& command) {
    if (command.name == "run") return Value::command;
    for (const OptionHelp& option : command.options) {
        if (!option.positional) continue;
        if (!option.choices.empty()) return Value::choice;
        return option.names.front().starts_with("ID") ? Value::session : Value::file;
    }
    return Value::none;
}

std::string joined(const std::vector<std::string>& words, std::string_view between) {
    return fmt::format("{}", fmt::join(words, between));
}

// The names of a command's options that `wanted` accepts, as a pattern of `case`; empty if none.
template <class Wanted>
std::string case_pattern(const CommandHelp& command, const Wanted& wanted) {
    std::vector<std::string> names;
    for (const OptionHelp& option : command.options) {
        if (option.positional || !wanted(option)) continue;
        names.insert(names.end(), option.names.begin(), option.names.end());
    }
    return joined(names, "|");
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

constexpr std::string_view list_sessions =
    R"sh(leftover ps --all --format json 2>/dev/null | sed -n 's/^.*"id": *"\([^"]*\)".*$/\1/p')sh";

std::string bash_values(const CommandHelp& command) {
    std::string text;
    const auto add = [&](Value value, std::string_view action) {
        const std::string pattern =
            case_pattern(command, [&](const OptionHelp& o) { return value_of(o) == value; });
        if (!pattern.empty()) text += fmt::format("                {}) {}; return ;;\n", pattern, action);
    };
    for (const OptionHelp& option : command.options) {
        if (option.positional || value_of(option) != Value::choice) continue;
        text += fmt::format("                {}) COMPREPLY=($(compgen -W '{}' -- \"$word\")); return ;;\n",
                            joined(option.names, "|"), joined(choices_of(option), " "));
    }
    add(Value::file, "compopt -o filenames; COMPREPLY=($(compgen -f -- \"$word\"))");
    add(Value::folder, "compopt -o filenames; COMPREPLY=($(compgen -d -- \"$word\"))");
    add(Value::command, "COMPREPLY=($(compgen -c -- \"$word\"))");
    add(Value::anything, "COMPREPLY=()");
    return text;
}

// The values of the positional, when it is one of a few.
std::string positional_choices(const CommandHelp& command) {
    for (const OptionHelp& option : command.options) {
        if (option.positional && !option.choices.empty()) return joined(option.choices, " ");
    }
    return {};
}

std::string bash_arguments(const CommandHelp& command) {
    switch (arguments_of(command)) {
        case Value::choice:
            return fmt::format("COMPREPLY=($(compgen -W '{}' -- \"$word\"))",
                               positional_choices(command));
        case Value::file:
            return "compopt -o filenames; COMPREPLY=($(compgen -f -- \"$word\"))";
        case Value::session:
            return fmt::format("COMPREPLY=($(compgen -W \"$({})\" -- \"$word\"))", list_sessions);
        default:
            return "COMPREPLY=()";
    }
}

std::vector<std::string> option_names(const CommandHelp& command) {
    std::vector<std::string> names;
    for (const OptionHelp& option : command.options) {
        if (!option.positional) names.insert(names.end(), option.names.begin(), option.names.end());
    }
    return names;
}

std::string bash_case(const CommandHelp& command) {
    std::string text = fmt::format("        {})\n", command.name);
    if (command.name == "run") {
        // Behind its own options stands somebody else's command line.
        const std::string taking =
            case_pattern(command, [](const OptionHelp& o) { return !o.value.empty(); });
        text += fmt::format(
            "            local i\n"
            "            for ((i = at + 1; i < COMP_CWORD; ++i)); do\n"
            "                case ${{COMP_WORDS[i]}} in\n"
            "                    --) ((++i)); break ;;\n"
            "                    {}) ((++i)) ;;\n"
            "                    -*) ;;\n"
            "                    *) break ;;\n"
            "                esac\n"
            "            done\n"
            "            if ((i < COMP_CWORD)) || [[ $word != -* && $before != -* ]]; then\n"
            "                if declare -F _command_offset >/dev/null && ((i < COMP_CWORD)); then\n"
            "                    _command_offset \"$i\"\n"
            "                else\n"
            "                    COMPREPLY=($(compgen -c -- \"$word\") $(compgen -f -- \"$word\"))\n"
            "                fi\n"
            "                return\n"
            "            fi\n",
            taking);
    }
    const std::string values = bash_values(command);
    if (!values.empty()) {
        text += "            case $before in\n" + values + "            esac\n";
    }
    text += fmt::format(
        "            if [[ $word == -* ]]; then\n"
        "                COMPREPLY=($(compgen -W '{}' -- \"$word\"))\n"
        "            else\n"
        "                {}\n"
        "            fi ;;\n",
        joined(option_names(command), " "),
        command.name == "run" ? "COMPREPLY=($(compgen -c -- \"$word\"))"
                              : bash_arguments(command));
    return text;
}

std::string command_names(const std::vector<CommandHelp>& commands) {
    std::vector<std::string> names;
    for (const CommandHelp& command : commands) names.push_back(command.name);
    return joined(names, " ");
}

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

std::string fish_values(const OptionHelp& option) {
    switch (value_of(option)) {
        case Value::none: return "";
        case Value::choice: return fmt::format(" -x -a '{}'", joined(choices_of(option), " "));
        case Value::file: return " -r -F";
        case Value::folder: return " -x -a '(__fish_complete_directories)'";
        case Value::command: return " -x -a '(__fish_complete_command)'";
        default: return " -x";
    }
}

}  // namespace

std::string bash_completion(const std::vector<CommandHelp>& commands) {
    std::string text =
        "# bash completion for leftover; made by `leftover completion bash`\n"
        "_leftover() {\n"
        "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} at=1\n"
        "    while ((at < COMP_CWORD)) && [[ ${COMP_WORDS[at]} == -* ]]; do ((++at)); done\n"
        "    if ((at == COMP_CWORD)); then\n";
    text += fmt::format("        COMPREPLY=($(compgen -W '{} --help --version' -- \"$word\"))\n",
                        command_names(commands));
    text +=
        "        return\n"
        "    fi\n"
        "    case ${COMP_WORDS[at]} in\n";
    for (const CommandHelp& command : commands) text += bash_case(command);
    text +=
        "    esac\n"
        "}\n"
        "complete -F _leftover leftover\n";
    return text;
}

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

std::string fish_completion(const std::vector<CommandHelp>& commands) {
    std::string text = "# fish completion for leftover; made by `leftover completion fish`\n";
    text += "complete -c leftover -f\n";
    text += "complete -c leftover -n __fish_use_subcommand -l help -s h -d 'Print the help'\n";
    text += "complete -c leftover -n __fish_use_subcommand -l version -d 'Print the version'\n";
    for (const CommandHelp& command : commands) {
        text += fmt::format("complete -c leftover -n __fish_use_subcommand -a {} -d {}\n",
                            command.name, in_quotes(command.description));
        const std::string within =
            fmt::format("-n '__fish_seen_subcommand_from {}'", command.name);
        for (const OptionHelp& option : command.options) {
            if (option.positional) continue;
            text += "complete -c leftover " + within;
            for (const std::string& name : option.names) {
                text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
            }
            text += fish_values(option) + " -d " + in_quotes(option.description) + "\n";
        }
        switch (arguments_of(command)) {
            case Value::command:
                text += fmt::format("complete -c leftover {} -x -a '(__fish_complete_subcommand "
                                    "--fcs-skip=2)'\n", within);
                break;
            case Value::session:
                text += fmt::format("complete -c leftover {} -x -a {}\n", within,
                                    in_quotes(fmt::format("({})", list_sessions)));
                break;
            case Value::file:
                text += fmt::format("complete -c leftover {} -F\n", within);
                break;
            case Value::choice:
                text += fmt::format("complete -c leftover {} -x -a '{}'\n", within,
                                    positional_choices(command));
                break;
            default:
                break;
        }
    }
    return text;
}

}  // namespace leftover::help
