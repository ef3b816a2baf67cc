#include "reporter/run/callback.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "reporter/model/names.h"
#include "reporter/run/environment.h"
#include "reporter/run/message.h"

namespace leftover::run {
namespace {

constexpr std::array<std::string_view, 5> variables = {
    "LEFTOVER_SESSION=", "LEFTOVER_EXIT_CODE=", "LEFTOVER_EXIT_SIGNAL=", "LEFTOVER_LEAKS=",
    "LEFTOVER_REPORT="};

std::vector<std::string> environment_of(const Completion& completion) {
    std::vector<std::string> environment = environment_without_shim(environ);
    std::erase_if(environment, [](const std::string& entry) {
        return std::any_of(variables.begin(), variables.end(),
                           [&](std::string_view name) { return entry.starts_with(name); });
    });
    environment.push_back("LEFTOVER_SESSION=" + completion.session);
    if (completion.exit.signal) {
        environment.push_back("LEFTOVER_EXIT_SIGNAL=" + signal_name(*completion.exit.signal));
    } else {
        environment.push_back(fmt::format("LEFTOVER_EXIT_CODE={}", completion.exit.code.value_or(125)));
    }
    environment.push_back(fmt::format("LEFTOVER_LEAKS={}", completion.leaks));
    if (!completion.report.empty()) environment.push_back("LEFTOVER_REPORT=" + completion.report);
    return environment;
}

// How it ended, in words; nothing for success.
std::optional<std::string> wait_for(pid_t pid, const Signals& signals) {
    for (;;) {
        siginfo_t info{};
        if (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG) != 0) {
            return fmt::format("is lost: {}", std::strerror(errno));
        }
        if (info.si_pid == pid) {
            if (info.si_code != CLD_EXITED) {
                return fmt::format("was killed by {}", signal_name(info.si_status));
            }
            if (info.si_status == 0) return std::nullopt;
            return fmt::format("exited with {}", info.si_status);
        }
        siginfo_t signal{};
        if (wait_for_signal(signals.awaited(), signal) && is_termination(signal.si_signo)) {
            ::kill(pid, signal.si_signo);
        }
    }
}

}  // namespace

void call_back(const std::string& command, const Completion& completion, const Signals& signals) {
    std::vector<std::string> environment = environment_of(completion);
    std::vector<char*> entries;
    for (std::string& entry : environment) entries.push_back(entry.data());
    entries.push_back(nullptr);
    std::string text = command;
    std::array<char, 3> shell = {'s', 'h', 0};
    std::array<char, 3> option = {'-', 'c', 0};
    std::array<char*, 4> arguments = {shell.data(), option.data(), text.data(), nullptr};

    std::fflush(nullptr);
    const pid_t pid = ::fork();
    if (pid < 0) {
        say(fmt::format("cannot run the --on-complete command: {}", std::strerror(errno)));
        return;
    }
    if (pid == 0) {
        signals.restore();
        ::execve("/bin/sh", arguments.data(), entries.data());
        ::_exit(127);
    }
    if (const auto failure = wait_for(pid, signals)) {
        say(fmt::format("the --on-complete command {}", *failure));
    }
}

}  // namespace leftover::run
