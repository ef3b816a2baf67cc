// The command line tool: finds the command and says what is wrong with how it was called.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reporter/commands/commands.h"
#include "reporter/config/config_file.h"
#include "reporter/config/defaults.h"
#include "reporter/help/commands.h"
#include "reporter/help/formatter.h"
#include "reporter/help/plain.h"
#include "reporter/model/utf8.h"
#include "reporter/render/format.h"

namespace {

namespace config = leftover::config;
namespace help = leftover::help;
using leftover::commands::run_trouble;
using leftover::commands::trouble;

// The place of the first argument that is no option: the tool itself has none that take a value.
std::size_t place_of_command(const std::vector<std::string>& words) {
    const auto at = std::find_if(words.begin(), words.end(), [](const std::string& word) {
        return !word.starts_with('-');
    });
    return static_cast<std::size_t>(at - words.begin());
}

void complain(std::string_view line) {
    fmt::print(stderr, "leftover: {}\n", leftover::printable(line));
}

void describe(CLI::App& app) {
    app.name("leftover");
    app.set_version_flag("--version", "leftover " LEFTOVER_VERSION, "Print the version and exit");
    app.set_help_flag("-h,--help", "Print this help and exit; of a command: leftover COMMAND --help");
    app.formatter(std::make_shared<help::Formatter>());
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
}

// What the environment and a project's file set for this command.
struct Found {
    std::optional<config::ConfigFile> file;
    config::Defaults defaults;
};

Found find_defaults(const CLI::App& command) {
    Found found;
    std::error_code error;  // a working folder that is gone has no file of options
    const auto folder = std::filesystem::current_path(error);
    if (!error) found.file = config::find_config(folder, ::geteuid());
    found.defaults = config::defaults_for(
        command, found.file, [](const char* name) -> const char* { return std::getenv(name); });
    return found;
}

void show_config(const Found& found) {
    fmt::print("file: {}\n", found.file ? leftover::printable(found.file->path) : "none");
    for (const std::string& word : found.defaults.words) {
        fmt::print("{}\n", leftover::printable(word));
    }
    throw CLI::Success();
}

// The options that every command has.
void add_common(CLI::App& command) {
    command.set_help_flag("-h,--help", "Print this help and exit");
    command.add_flag_callback(
        "--help-all",
        [&command] {
            const int width = leftover::render::options_for(STDOUT_FILENO).width;
            fmt::print("{}", help::plain_page(help::command_help(command),
                                              width > 0 ? static_cast<std::size_t>(width) : 80));
            throw CLI::Success();
        },
        "Print what each option means at length, and exit");
    command.add_flag_callback(
        "--show-config", [&command] { show_config(find_defaults(command)); },
        "Print what the environment and a found file of options set, and exit");
    command.group("Commands");
}

void parse(CLI::App& app, CLI::App& command, std::vector<std::string> words, std::size_t place) {
    const Found found = find_defaults(command);
    for (const std::string& remark : found.defaults.remarks) complain(remark);
    words.insert(words.begin() + static_cast<std::ptrdiff_t>(place) + 1,
                 found.defaults.words.begin(), found.defaults.words.end());
    std::reverse(words.begin(), words.end());  // as CLI11 wants them
    app.parse(words);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Finds and cleans up what a program and its descendants leave behind: processes,\n"
                 "semaphores, shared memory, temporary files, sockets, unjoined threads.");
    describe(app);
    int status = leftover::commands::ok;
    for (const auto add : leftover::commands::all_commands) add(app, status);
    for (CLI::App* each : app.get_subcommands({})) add_common(*each);

    std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
    const std::size_t place = place_of_command(words);
    const std::string name = place < words.size() ? words[place] : "";
    const int failure = name == "run" ? run_trouble : trouble;
    const auto all = app.get_subcommands({});
    const auto command = std::find_if(all.begin(), all.end(), [&name](const CLI::App* each) {
        return each->get_name() == name;
    });
    if (!name.empty() && command == all.end()) {
        complain(fmt::format("there is no command '{}'; see leftover --help", name));
        return failure;
    }
    if (words.empty()) {
        fmt::print(stderr, "{}", app.help());
        return failure;
    }
    try {
        if (command == all.end()) {
            std::reverse(words.begin(), words.end());
            app.parse(words);
        } else {
            parse(app, **command, std::move(words), place);
        }
        return status;
    } catch (const CLI::Success& asked) {  // --help and --version
        return app.exit(asked);
    } catch (const CLI::ParseError& error) {
        const std::string_view space = name.empty() ? "" : " ";
        complain(fmt::format("{}; see leftover{}{} --help", error.what(), space, name));
        return failure;
    } catch (const std::exception& error) {
        complain(error.what());
        return failure;
    }
}
