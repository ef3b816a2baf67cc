// The command line tool: finds the command and says what is wrong with how it was called.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "reporter/commands/commands.h"
#include "reporter/model/utf8.h"

namespace {

using leftover::commands::run_trouble;
using leftover::commands::trouble;

// The first argument that is no option: the tool itself has none that take a value.
std::string_view command_of(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (!argument.starts_with('-')) return argument;
    }
    return {};
}

void complain(std::string_view line) {
    fmt::print(stderr, "leftover: {}\n", leftover::printable(line));
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Finds and cleans up what a program and its descendants leave behind: processes,\n"
                 "semaphores, shared memory, temporary files, sockets, unjoined threads.");
    app.name("leftover");
    app.set_version_flag("--version", "leftover " LEFTOVER_VERSION, "Print the version and exit");
    app.set_help_flag("-h,--help", "Print this help and exit; of a command: leftover COMMAND --help");
    app.get_formatter()->column_width(28);
    app.get_formatter()->label("SUBCOMMAND", "COMMAND");
    app.require_subcommand(0, 1);
    app.footer(
        "Examples:\n"
        "  leftover run -- python3 train.py              run it, then say what it left behind\n"
        "  leftover run -o leaks.json -- make test       the same, as a report to keep\n"
        "  leftover report leaks.json                    read a report again\n"
        "\n"
        "Exit status of run: the program's own; 125 when leftover itself failed. Of the other\n"
        "commands: 2 when something was wrong with how they were called or what they were given.");

    int status = leftover::commands::ok;
    for (const auto add : leftover::commands::all_commands) add(app, status);
    for (CLI::App* each : app.get_subcommands({})) {
        each->set_help_flag("-h,--help", "Print this help and exit");
        each->group("Commands");
    }

    const std::string_view command = command_of(argc, argv);
    const int failure = command == "run" ? run_trouble : trouble;
    const auto all = app.get_subcommands({});
    const bool known = std::any_of(all.begin(), all.end(), [command](const CLI::App* each) {
        return each->get_name() == command;
    });
    if (!command.empty() && !known) {
        complain(fmt::format("there is no command '{}'; see leftover --help", command));
        return failure;
    }
    if (argc == 1) {
        fmt::print(stderr, "{}", app.help());
        return failure;
    }
    try {
        app.parse(argc, argv);
        return status;
    } catch (const CLI::Success& asked) {  // --help and --version
        return app.exit(asked);
    } catch (const CLI::ParseError& error) {
        const std::string_view space = command.empty() ? "" : " ";
        complain(fmt::format("{}; see leftover{}{} --help", error.what(), space, command));
        return failure;
    } catch (const std::exception& error) {
        complain(error.what());
        return failure;
    }
}
