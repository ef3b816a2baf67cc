// leftover sweep: what is left on this machine, from whichever session, or none.
#include "reporter/sweep/sweep.h"

#include <fmt/format.h>
#include <unistd.h>

#include <exception>
#include <iostream>
#include <memory>
#include <regex>
#include <stdexcept>
#include <string>

#include "reporter/commands/commands.h"
#include "reporter/kernel/machine.h"
#include "reporter/model/utf8.h"
#include "reporter/render/format.h"
#include "reporter/render/sweep.h"
#include "reporter/run/message.h"

namespace leftover::commands {
namespace {

constexpr double longest_patience = 366.0 * 24 * 3600;

struct Arguments {
    std::string pattern;
    std::string format = "text";
    bool clean = false;
    sweep::Options options;
};

void take_pattern(const std::string& pattern, sweep::Options& options) {
    if (pattern.empty()) return;
    try {
        options.pattern.emplace(pattern, std::regex::ECMAScript | std::regex::optimize);
    } catch (const std::regex_error& error) {
        throw CLI::ValidationError(
            fmt::format("--pattern '{}': {}", printable(pattern), error.what()));
    }
}

int sweep_machine(Arguments& arguments) {
    take_pattern(arguments.pattern, arguments.options);
    const bool as_text = arguments.format == "text";
    // The lines of text come on standard output at the end; until then who cleans sees it happen.
    if (arguments.clean) {
        arguments.options.log = [](const std::string& line) { run::say(line); };
    }
    sweep::Found found;
    try {
        found = arguments.clean ? sweep::clean_up(arguments.options) : sweep::look(arguments.options);
    } catch (const std::exception& error) {
        run::say(error.what());
        return trouble;
    }
    for (const std::string& remark : found.remarks) run::say(remark);
    if (as_text) {
        render::sweep_text(found, arguments.clean, kernel::now(), render::options_for(STDOUT_FILENO),
                           std::cout);
    } else {
        render::sweep_json(found, kernel::now(), std::cout);
    }
    std::cout.flush();
    if (!std::cout) {
        run::say("cannot write to standard output");
        return trouble;
    }
    if (!found.remarks.empty()) return trouble;
    return sweep::is_nothing_left(found) ? ok : 1;
}

}  // namespace

void add_sweep(CLI::App& app, int& status) {
    CLI::App* command = app.add_subcommand(
        "sweep", "List, or clean up, what earlier sessions and lone Python workers left here");
    const auto arguments = std::make_shared<Arguments>();
    command->add_option("--pattern", arguments->pattern, "Only what has this in its name or command line")
        ->option_text("REGEX");
    command->add_flag("--clean", arguments->clean, "Clean up; without it nothing is touched");
    command->add_option("--kill-after", arguments->options.kill_after, "From TERM to KILL")
        ->check(CLI::Range(0.0, longest_patience))
        ->option_text("SECONDS")
        ->capture_default_str();
    command->add_flag("--all-users", arguments->options.all_users, "Other users' as well, for root");
    command->add_option("--format", arguments->format, "How to show it")
        ->check(CLI::IsMember({"text", "json"}))
        ->option_text("text|json")
        ->capture_default_str();
    command->footer(
        "Examples:\n"
        "  leftover sweep                                what is there, and why it is listed\n"
        "  leftover sweep --clean                        end and remove it\n"
        "  leftover sweep --pattern train.py --format json\n"
        "\n"
        "Exit status: 0 nothing is left over (any more), 1 something is, 2 trouble.");
    command->callback([arguments, &status] { status = sweep_machine(*arguments); });
}

}  // namespace leftover::commands
