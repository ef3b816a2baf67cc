// leftover stop ID
#include <fmt/format.h>

#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "reporter/commands/commands.h"
#include "reporter/run/message.h"
#include "reporter/run/sessions.h"
#include "reporter/run/stop.h"

namespace leftover::commands {
namespace {

constexpr int something_left = 1;
constexpr double longest_wait = 366.0 * 24 * 3600;

struct StopOptions {
    std::string id;
    double kill_after = 5;
};

int stop(const StopOptions& options) {
    std::vector<std::string> remarks;
    const auto session = run::find_session(options.id, remarks);
    for (const std::string& remark : remarks) run::say(remark);
    if (!session || session->state == run::SessionState::ended) {
        run::say(session ? fmt::format("session '{}' has ended already", options.id)
                         : fmt::format("there is no session '{}'; see leftover ps", options.id));
        return trouble;
    }
    try {
        const run::Stopped stopped = run::stop(*session, options.kill_after);
        if (!stopped.ended) {
            run::say(fmt::format("session '{}' was told to end, and has not ended yet", options.id));
            return something_left;
        }
        if (stopped.left == 0) {
            fmt::print("session {} has ended, nothing is left over\n", options.id);
            return ok;
        }
        fmt::print("session {} has ended, {} {} left over; leftover report {}\n", options.id,
                   stopped.left, stopped.left == 1 ? "thing is" : "things are", session->folder);
    } catch (const std::exception& error) {
        run::say(error.what());
    }
    return something_left;
}

}  // namespace

void add_stop(CLI::App& app, int& status) {
    CLI::App* command = app.add_subcommand("stop", "End a live session and clean up after it");
    const auto options = std::make_shared<StopOptions>();
    command->add_option("ID", options->id, "The session's id: leftover ps lists them")
        ->required()
        ->option_text(" ");
    command->add_option("--kill-after", options->kill_after, "From TERM to KILL")
        ->check(CLI::Range(0.0, longest_wait))
        ->type_name("SECONDS")
        ->capture_default_str();
    command->footer(
        "The program gets a TERM, so that it can tidy up by itself; when it is still there after\n"
        "--kill-after it is killed. Then all that is left of the session is ended and removed, as by\n"
        "run --clean. What others use, and what is another user's, is left alone.\n"
        "\n"
        "Examples:\n"
        "  leftover stop nightly\n"
        "  leftover stop nightly --kill-after 0           at once\n"
        "\n"
        "Exit status: 0 when nothing is left, 1 when something is, 2 when there is no such session.");
    command->callback([options, &status] { status = stop(*options); });
}

}  // namespace leftover::commands
