// leftover wait ID
#include <fmt/format.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "reporter/commands/commands.h"
#include "reporter/run/message.h"
#include "reporter/run/outcome.h"
#include "reporter/run/own_end.h"
#include "reporter/run/sessions.h"

namespace leftover::commands {
namespace {

int wait_for(const std::string& id) {
    std::vector<std::string> remarks;
    const auto session = run::find_session(id, remarks);
    for (const std::string& remark : remarks) run::say(remark);
    const auto file = session ? run::OutcomeFile::open(session->folder) : std::nullopt;
    if (!file) {
        run::say(session ? fmt::format("session '{}' has no leftover that could tell how it ended", id)
                         : fmt::format("there is no session '{}'; see leftover ps --all", id));
        return run_trouble;
    }
    file->wait();
    const auto outcome = file->read();
    if (!outcome) {
        run::say(fmt::format("the leftover of session '{}' was killed: how it ended is not known", id));
        return run_trouble;
    }
    if (outcome->exit.signal) run::die_of(*outcome->exit.signal);
    return outcome->exit.code.value_or(run_trouble);
}

}  // namespace

void add_wait(CLI::App& app, int& status) {
    CLI::App* command =
        app.add_subcommand("wait", "Wait for a session's end, and end as its run did");
    const auto id = std::make_shared<std::string>();
    command->add_option("ID", *id, "The session's id: leftover ps lists them")
        ->required()
        ->option_text(" ");
    command->footer(
        "All that the session wrote is where it belongs by then, and its --on-complete command has\n"
        "run. Any number may wait for a session; one that has ended and was kept (--keep, --detach)\n"
        "answers at once.\n"
        "\n"
        "Examples:\n"
        "  leftover run --detach --session nightly -- ./nightly.sh\n"
        "  leftover wait nightly && echo done\n"
        "\n"
        "Exit status: that of the session's leftover run; killed by a signal: the same one. 125\n"
        "when there is no such session, or its leftover was killed.");
    command->callback([id, &status] { status = wait_for(*id); });
}

}  // namespace leftover::commands
