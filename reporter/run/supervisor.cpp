#include "reporter/run/supervisor.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>

#include "reporter/commands/commands.h"
#include "reporter/judge/judge.h"
#include "reporter/kernel/machine.h"
#include "reporter/kernel/process.h"
#include "reporter/kernel/text.h"
#include "reporter/model/names.h"
#include "reporter/run/descendants.h"
#include "reporter/run/environment.h"
#include "reporter/run/message.h"
#include "reporter/run/preflight.h"
#include "reporter/run/program_path.h"
#include "reporter/run/state_folder.h"
#include "reporter/symbols/symbols.h"

namespace leftover::run {
namespace {

constexpr int not_executable = 126;
constexpr int not_found = 127;

// What the shim keeps of the folder's path has to fit there.
constexpr std::size_t longest_folder = 500;

Exit exit_code(int code) {
    Exit exit;
    exit.code = code;
    return exit;
}

Exit cannot_run(const std::string& name, int error) {
    say(fmt::format("cannot run '{}': {}", name, std::strerror(error)));
    return exit_code(error == ENOENT || error == ENOTDIR ? not_found : not_executable);
}

std::string_view reason_name(Loadable loadable) {
    switch (loadable) {
        case Loadable::yes: return "";
        case Loadable::static_: return "static";
        case Loadable::setuid: return "setuid";
        case Loadable::architecture: return "architecture";
        case Loadable::libc: return "libc";
        case Loadable::unreadable: return "unreadable";
        case Loadable::unknown: return "unknown";
    }
    return "unknown";
}

ProcessId identify(pid_t pid) {
    const auto stat = kernel::read_stat(pid);
    return {pid, stat ? stat->start_ticks : 0};
}

std::string working_directory() {
    std::error_code error;
    const auto path = std::filesystem::current_path(error);
    // A folder that was deleted still has a name there.
    return error ? kernel::read_link("/proc/self/cwd") : path.string();
}

}  // namespace

Supervisor::~Supervisor() {
    if (keep_) return;
    if (nested_) nested_->remove();
    if (folder_) folder_->remove();
}

Exit Supervisor::run() {
    const std::string& name = options_.command.front();
    const ProgramPath program = find_program(name, std::getenv("PATH"));
    if (program.error != 0) return cannot_run(name, program.error);
    check_outputs(options_.outputs);
    adopt_orphans();
    open_session();

    const Command command = prepare(program.path);
    Escort escort(signals_);
    Launch launch(command, signals_);
    write_facts(launch.pid());
    keep_ = true;  // from here on, whatever happens to us
    const auto begin = std::chrono::steady_clock::now();
    if (const int error = launch.start(); error != 0) {
        keep_ = false;
        // It was found; what is missing now is its interpreter.
        return cannot_run(name, error == ENOENT ? EACCES : error);
    }
    facts_.session.exit = escort.accompany(launch.pid());
    facts_.session.duration_seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    facts_.ended = true;
    wait_for_descendants(options_.grace, signals_);

    Report report;
    bool trouble = !judge(report);
    trouble = !write_outputs(report) || trouble;
    return own_end(report, trouble);
}

}  // namespace leftover::run
