#include "reporter/run/run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <stdexcept>

#include "reporter/commands/commands.h"
#include "reporter/run/descendants.h"
#include "reporter/run/detach.h"
#include "reporter/run/escort.h"
#include "reporter/run/message.h"
#include "reporter/run/own_end.h"
#include "reporter/run/preflight.h"
#include "reporter/run/signals.h"
#include "reporter/run/supervisor.h"

namespace leftover::run {
namespace {

int end_like(const Exit& exit) {
    if (exit.signal) die_of(*exit.signal);
    return exit.code.value_or(commands::run_trouble);
}

Exit supervise(const Options& options, const Signals& signals, const Detached& detached = {}) {
    Supervisor supervisor(options, signals, detached);
    return supervisor.run();
}

// Children that are none of the program's: as pid 1 of a container we get every orphan in it, and
// whoever executed us may have started some before. They stay with this process, which does nothing
// but reap, while the session has a subreaper of its own.
Exit supervise_apart(const Options& options, const Signals& signals) {
    Escort escort(signals);
    const pid_t pid = ::fork();
    if (pid < 0) throw std::runtime_error(fmt::format("cannot fork: {}", std::strerror(errno)));
    if (pid > 0) return escort.accompany(pid);

    int status = commands::run_trouble;
    try {
        status = end_like(supervise(options, signals));
    } catch (const std::exception& trouble) {
        say(trouble.what());
    }
    std::fflush(nullptr);
    ::_exit(status);
}

}  // namespace

int run(const Options& options) {
    hold_standard_descriptors();
    check_proc();
    if (options.detach) {
        return detach([&options](const Detached& detached) {
            const Signals signals;
            return end_like(supervise(options, signals, detached));
        });
    }
    const bool apart = ::getpid() == 1 || has_children();
    const Signals signals;
    // By then the supervisor is gone and has tidied up: we may die in there.
    return end_like(apart ? supervise_apart(options, signals) : supervise(options, signals));
}

}  // namespace leftover::run
