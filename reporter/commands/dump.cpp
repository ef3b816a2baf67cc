// leftover dump: what a live session or process holds and what its threads are doing.
#include <cstdio>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

#include <unistd.h>

#include "reporter/commands/commands.h"
#include "reporter/render/format.h"
#include "reporter/run/dump.h"
#include "reporter/run/message.h"

namespace leftover::commands {

namespace {

struct DumpOptions {
    std::string target;
    std::string format = "text";
};

int dump(const DumpOptions& options) {
    try {
        Report report = run::dump(run::find_dump_target(options.target));
        for (const std::string& remark : report.remarks) run::say(remark);
        report.remarks.clear();
        render::write(report, render::options_for(STDOUT_FILENO), {&render::format_by_name(options.format), "-"});
    } catch (const std::runtime_error& error) {
        run::say(error.what());
        return trouble;
    }
    return ok;
}

}  // namespace

void add_dump(CLI::App& app, int& status) {
    CLI::App* command = app.add_subcommand("dump", "Show what a live session holds and what its threads are doing");
    const auto options = std::make_shared<DumpOptions>();
    command->add_option("ID|PID", options->target, "A session's id, or a process, with all that descends from it")
        ->required()
        ->option_text(" ");
    command->add_option("--format", options->format, "How to show it")
        ->check(CLI::IsMember({"text", "json"}))
        ->type_name("text|json")
        ->capture_default_str();
    command->footer(
        "Each thread is paused for milliseconds and goes on as before, also one that was stopped. The\n"
        "process may be any of this user's, under leftover or not; one that somebody else traces (a\n"
        "debugger) is listed without its stacks.\n"
        "\n"
        "Examples:\n"
        "  leftover dump nightly                 a session by its id (run --session nightly)\n"
        "  leftover dump 4711                    a process and its descendants\n"
        "  leftover dump 4711 --format json      as a report: what it holds, and the stacks in `hang'\n"
        "\n"
        "Exit status: 0; 2 when there is no such session or process, or it may not be looked into.");
    command->callback([options, &status] { status = dump(*options); });
}

}  // namespace leftover::commands
