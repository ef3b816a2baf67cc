#include "reporter/run/descendants.h"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>
#include <stdexcept>

#include "reporter/kernel/process.h"
#include "reporter/run/helper_process.h"

namespace leftover::run {
namespace {

// False when there is no child left.
bool reap_all() {
    for (;;) {
        siginfo_t info{};
        if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG) != 0) {
            if (errno == EINTR) continue;
            return false;
        }
        if (info.si_pid == 0) return true;
    }
}

}  // namespace

void adopt_orphans() {
    if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
        throw std::runtime_error(fmt::format("cannot adopt orphans: {}", std::strerror(errno)));
    }
}

bool has_children() {
    siginfo_t info{};
    return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

void wait_for_descendants(double seconds, const Signals& signals, const std::function<void()>& on_dump) {
    using Clock = std::chrono::steady_clock;
    const auto begin = Clock::now();
    while (reap_all()) {
        const double rest = seconds - std::chrono::duration<double>(Clock::now() - begin).count();
        siginfo_t signal{};
        if (rest <= 0 || !wait_for_signal(signals.awaited(), signal, rest)) break;
        if (is_termination(signal.si_signo) && !is_descendant(signal.si_pid)) break;
        if (signal.si_signo == dump_signal()) on_dump();
    }
}

bool is_descendant(int pid) {
    const pid_t self = ::getpid();
    while (pid > 1 && pid != self) {
        const auto stat = kernel::read_stat(pid);
        if (!stat) return false;
        pid = stat->ppid;
        if (pid == self) return true;
    }
    return false;
}

std::vector<int> live_descendants() {
    // Who adopts all orphans and has no child has no descendant: a look at each process of a large machine takes
    // longer than many a program.
    if (!reap_all()) return {};
    return live_descendants_of(::getpid());
}

std::vector<int> live_descendants_of(int pid) {
    std::multimap<int, int> children;
    for (const int each : kernel::list_processes()) {
        const auto stat = kernel::read_stat(each);
        if (stat && kernel::is_alive(*stat) && !is_helper(*stat)) children.emplace(stat->ppid, each);
    }
    std::vector<int> found = {pid};
    for (std::size_t i = 0; i < found.size(); ++i) {
        const auto [begin, end] = children.equal_range(found[i]);
        for (auto child = begin; child != end; ++child) found.push_back(child->second);
    }
    found.erase(found.begin());
    return found;
}

}  // namespace leftover::run
