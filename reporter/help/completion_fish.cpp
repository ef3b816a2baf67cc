// Completion in fish.
#include <fmt/format.h>

#include "reporter/help/completion.h"
#include "reporter/help/completion_values.h"

namespace leftover::help {
namespace {

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

// What knows where on the line the cursor is: within leftover's own words, or in those of the program it runs,
// whose options are not leftover's.
std::string functions(const std::vector<CommandHelp>& commands) {
    std::vector<std::string> taking;
    for (const CommandHelp& command : commands) {
        if (command.name != "run") continue;
        for (const OptionHelp& option : command.options) {
            if (option.positional || option.value.empty()) continue;
            taking.insert(taking.end(), option.names.begin(), option.names.end());
        }
    }
    return fmt::format(R"fish(function __leftover_words
    set -l words (commandline -opc)
    set -e words[1]
    while set -q words[1]; and string match -q -- '-*' $words[1]
        set -e words[1]
    end
    printf '%s\n' $words
end
function __leftover_program
    set -l words (__leftover_words)
    test "$words[1]" = run; or return 1
    set -e words[1]
    while set -q words[1]
        switch $words[1]
            case --
                set -e words[1]
                break
            case {}
                set -e words[1..2]
            case '-*'
                set -e words[1]
            case '*'
                break
        end
    end
    set -q words[1]; and printf '%s\n' $words
end
function __leftover_runs
    set -l words (__leftover_program)
    set -q words[1]
end
function __leftover_in
    set -l words (__leftover_words)
    test "$words[1]" = $argv[1]; and not __leftover_runs
end
function __leftover_of_command
    set -l line (string join ' ' -- (string escape -- (__leftover_program)) (commandline -ct))
    complete -C "$line"
end
)fish",
                       joined(taking, " "));
}

}  // namespace

std::string fish_completion(const std::vector<CommandHelp>& commands) {
    std::string text = "# fish completion for leftover; made by `leftover completion fish`\n";
    text += functions(commands);
    text += "complete -c leftover -f\n";
    text += "complete -c leftover -n __fish_use_subcommand -l help -s h -d 'Print the help'\n";
    text += "complete -c leftover -n __fish_use_subcommand -l version -d 'Print the version'\n";
    for (const CommandHelp& command : commands) {
        text += fmt::format("complete -c leftover -n __fish_use_subcommand -a {} -d {}\n",
                            command.name, in_quotes(command.description));
        const std::string within =
            fmt::format("-n '__leftover_in {}'", command.name);
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
                text += fmt::format("complete -c leftover {} -x -a '(__fish_complete_command)'\n", within);
                text += "complete -c leftover -n __leftover_runs -x -a '(__leftover_of_command)'\n";
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
