// Completion in bash.
#include <fmt/format.h>

#include "reporter/help/completion.h"
#include "reporter/help/completion_values.h"

namespace leftover::help {
namespace {

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

}  // namespace leftover::help
