// leftover ps [--all] [--watch]
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "reporter/commands/commands.h"
#include "reporter/render/sessions.h"
#include "reporter/run/live_view.h"
#include "reporter/run/message.h"
#include "reporter/run/sessions.h"

namespace leftover::commands {
namespace {

struct PsOptions {
    bool all = false;
    bool watch = false;
    std::string format = "text";
};

class Ps {
public:
    explicit Ps(const PsOptions& options) : options_(options) {}

    // What is to be shown now.
    void show(std::ostream& out, const render::Options& style) {
        std::vector<std::string> remarks;
        std::vector<run::SessionView> views;
        for (const run::SessionEntry& entry : run::list_sessions(remarks)) {
            if (options_.all || entry.state != run::SessionState::ended) {
                views.push_back(run::view_of(entry));
            }
        }
        for (const std::string& remark : remarks) {
            if (said_.insert(remark).second) run::say(remark);
        }
        if (options_.format == "json") {
            render::sessions_json(views, out);
        } else {
            render::sessions_text(views, style, out);
        }
    }

private:
    const PsOptions& options_;
    std::set<std::string> said_;
};

int ps(const PsOptions& options) {
    Ps sessions(options);
    if (!options.watch) {
        sessions.show(std::cout, render::options_for(STDOUT_FILENO));
        std::cout.flush();
        if (std::cout.good()) return ok;
        run::say("cannot write to standard output");
        return trouble;
    }
    return run::watch([&](std::ostream& out, const render::Options& style) {
               sessions.show(out, style);
           })
               ? ok
               : trouble;
}

}  // namespace

void add_ps(CLI::App& app, int& status) {
    CLI::App* command = app.add_subcommand("ps", "List the sessions that live now");
    const auto options = std::make_shared<PsOptions>();
    command->add_flag("--all", options->all, "Also those that have ended and whose records were kept");
    command->add_flag("--watch", options->watch, "Show it anew every second, until Ctrl+C");
    command->add_option("--format", options->format, "How to show it")
        ->check(CLI::IsMember({"text", "json"}))
        ->type_name("text|json")
        ->capture_default_str();
    command->footer(
        "Counted is what is alive now: processes and threads of the session, and the named semaphores\n"
        "and shared memory that it created. `running alone' is a session whose leftover was killed\n"
        "while processes of it live, or a program that was preloaded by hand.\n"
        "\n"
        "With --watch a terminal shows one view that changes; anything else gets one list after the\n"
        "other, with --format json a line of each.\n"
        "\n"
        "Examples:\n"
        "  leftover ps --watch\n"
        "  leftover ps --all --format json | jq '.sessions[] | select(.exit.code != 0) | .stdout'\n"
        "\n"
        "Exit status: 0; 2 in case of trouble.");
    command->callback([options, &status] { status = ps(*options); });
}

}  // namespace leftover::commands
