#include "reporter/run/terminate.h"

#include <chrono>
#include <csignal>

#include "reporter/clean/helpers.h"
#include "reporter/kernel/pidfd.h"
#include "reporter/kernel/process.h"
#include "reporter/run/descendants.h"
#include "reporter/run/descriptor.h"

namespace leftover::run {
namespace {

using Clock = std::chrono::steady_clock;

// To the process with these start ticks or to nobody.
bool send(const kernel::ProcessStat& process, std::initializer_list<int> list) {
    const Descriptor handle(kernel::pidfd_open(process.pid));
    if (!handle.is_open()) return false;
    const auto now = kernel::read_stat(process.pid);
    if (!now || now->start_ticks != process.start_ticks) return false;
    bool sent = true;
    for (const int one : list) sent = kernel::pidfd_send(handle.get(), one) == 0 && sent;
    return sent;
}

template <class Visit>
bool each_descendant(const Visit& visit) {
    bool any = false;
    for (const int pid : live_descendants()) {
        const auto stat = kernel::read_stat(pid);
        if (!stat || !kernel::is_alive(*stat)) continue;
        any = true;
        visit(*stat);
    }
    return any;
}

}  // namespace

void Terminate::ask_all() {
    each_descendant([this](const kernel::ProcessStat& process) {
        if (asked_.contains({process.pid, process.start_ticks})) return;
        asked_.insert({process.pid, process.start_ticks});
        if (!clean::is_tidying_helper(kernel::read_command(process.pid))) send(process, {SIGTERM, SIGCONT});
    });
}

void Terminate::kill_all() {
    each_descendant([](const kernel::ProcessStat& process) { send(process, {SIGKILL}); });
}

void Terminate::wait(double seconds, const Signals& signals, const std::function<void()>& on_dump) {
    constexpr double hopeless = 10;
    const auto begin = Clock::now();
    bool impatient = false;
    for (;;) {
        const double gone = std::chrono::duration<double>(Clock::now() - begin).count();
        impatient = impatient || gone >= seconds;
        if (!each_descendant([](const kernel::ProcessStat&) {}) || gone > seconds + hopeless) return;
        if (impatient) {
            kill_all();
        } else {
            ask_all();
        }
        siginfo_t signal{};
        if (wait_for_signal(signals.awaited(), signal, 0.01)) {
            impatient = impatient || is_termination(signal.si_signo);
            if (signal.si_signo == dump_signal()) on_dump();
        }
    }
}

}  // namespace leftover::run
