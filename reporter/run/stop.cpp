#include "reporter/run/stop.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <stdexcept>
#include <vector>

#include "reporter/clean/clean.h"
#include "reporter/judge/judge.h"
#include "reporter/kernel/process.h"
#include "reporter/kernel/text.h"
#include "reporter/run/descendants.h"
#include "reporter/run/descriptor.h"
#include "reporter/run/message.h"
#include "reporter/run/outcome.h"

namespace leftover::run {
namespace {

// Beyond TERM, KILL and TERM, KILL again: for a machine that is busy.
constexpr double patience = 30;

std::string request_path(const std::string& folder) { return folder + "/stop"; }

bool is_error_left(const Leak& leak) {
    return leak.severity == Severity::error &&
           (leak.status == Status::leaked || leak.status == Status::failed);
}

// A signal that reaches this very process or none.
class Target {
public:
    explicit Target(const ProcessId& id)
        : process_(static_cast<int>(::syscall(SYS_pidfd_open, id.pid, 0))) {
        const auto stat = kernel::read_stat(id.pid);
        if (!stat || stat->start_ticks != id.start_ticks) process_.close();
    }

    // False when it is gone; throws when it may not be signalled.
    bool send(int signal) const {
        if (!process_.is_open()) return false;
        if (::syscall(SYS_pidfd_send_signal, process_.get(), signal, nullptr, 0) == 0) return true;
        if (errno == ESRCH) return false;
        throw std::runtime_error(fmt::format("cannot signal it: {}", std::strerror(errno)));
    }

    void wait(double seconds) const {
        if (!process_.is_open()) return;
        pollfd watched = {process_.get(), POLLIN, 0};
        const double most = std::min(seconds * 1000, 1e9);
        while (::poll(&watched, 1, static_cast<int>(most)) < 0 && errno == EINTR) {
        }
    }

private:
    Descriptor process_;
};

// The processes of a session without a leftover: who was seen once stays known, whoever adopts it.
class Remains {
public:
    explicit Remains(const SessionEntry& session) : session_(session) {
        if (session.facts && has_our_pids(*session.facts)) add_tree(session.facts->program.pid,
                                                                    session.facts->program.start_ticks);
    }

    Report look() {
        JudgeOptions options;
        options.include_notes = false;
        for (const auto& [pid, ticks] : std::map(seen_)) add_tree(pid, ticks);
        for (const auto& [pid, ticks] : seen_) {
            if (is_alive(pid, ticks)) options.live_processes.push_back(pid);
        }
        Report report = judge_folder(session_.folder, options);
        for (const ProcessInfo& process : report.processes) {
            if (process.exit.running) add_tree(process.pid, process.start_ticks);
        }
        return report;
    }

private:
    static bool is_alive(int pid, std::uint64_t ticks) {
        const auto stat = kernel::read_stat(pid);
        return stat && stat->start_ticks == ticks && kernel::is_alive(*stat);
    }

    void add_tree(int pid, std::uint64_t ticks) {
        if (!is_alive(pid, ticks)) return;
        seen_[pid] = ticks;
        for (const int below : live_descendants_of(pid)) {
            if (const auto stat = kernel::read_stat(below)) seen_[below] = stat->start_ticks;
        }
    }

    const SessionEntry& session_;
    std::map<int, std::uint64_t> seen_;
};

// The program is none of the leaks: a session is not over as long as it runs.
void end_program(const Report& report, double kill_after) {
    std::set<int> leaks;
    for (const Leak& leak : report.leaks) {
        if (leak.kind == Kind::process && leak.details.more->pid) leaks.insert(*leak.details.more->pid);
    }
    for (const ProcessInfo& process : report.processes) {
        if (!process.exit.running || leaks.contains(process.pid)) continue;
        const Target target({process.pid, process.start_ticks});
        if (!target.send(SIGTERM)) continue;
        target.wait(kill_after);
        if (target.send(SIGKILL)) target.wait(patience);
    }
}

Stopped stop_here(const SessionEntry& session, double kill_after) {
    const auto lock = lock_dead_session(session.folder);
    if (!lock) throw std::runtime_error(fmt::format("somebody else is at work on '{}'", session.id));
    Remains remains(session);
    end_program(remains.look(), kill_after);
    Report report = remains.look();
    clean::Options how;
    how.kill_after = kill_after;
    how.log = say;
    how.look = [&] { return remains.look(); };
    clean::clean(report, how);
    Stopped result;
    result.ended = true;
    result.left = static_cast<std::uint64_t>(
        std::count_if(report.leaks.begin(), report.leaks.end(), is_error_left));
    if (!session.facts || !session.facts->kept) remove_if_finished(session.folder, *lock);
    return result;
}

}  // namespace

void write_stop_request(const std::string& folder, double kill_after) {
    const std::string path = request_path(folder);
    const std::string fresh = fmt::format("{}.{}", path, ::getpid());
    std::ofstream file(fresh);
    file << kill_after << '\n';
    file.close();
    if (!file || std::rename(fresh.c_str(), path.c_str()) != 0) {
        const int error = errno;
        ::unlink(fresh.c_str());
        throw std::runtime_error(fmt::format("cannot write '{}': {}", path, std::strerror(error)));
    }
}

std::optional<double> read_stop_request(const std::string& folder) {
    const std::string text = kernel::read_text(request_path(folder));
    if (text.empty()) return std::nullopt;
    return std::max(0.0, std::strtod(text.c_str(), nullptr));
}

Stopped stop(const SessionEntry& session, double kill_after) {
    const bool is_here = !session.facts || has_our_pids(*session.facts);
    const auto facts = session.facts ? with_our_pids(*session.facts) : std::nullopt;
    // What it made is in namespaces of its own: only its own leftover can clean up there.
    const bool can_clean = facts && facts->launcher.pid != 0 && session.state == SessionState::running;
    if (!is_here && !can_clean) throw std::runtime_error(elsewhere_words(session.id, "stop"));
    if (session.state == SessionState::unsupervised) return stop_here(session, kill_after);

    const auto outcome = OutcomeFile::open(session.folder);
    if (!outcome || !session.facts) {
        throw std::runtime_error(fmt::format("session '{}' has not begun yet", session.id));
    }
    write_stop_request(session.folder, kill_after);
    const Target launcher(facts ? facts->launcher : session.facts->launcher);
    if (launcher.send(SIGTERM) && !outcome->wait_for(2 * kill_after + patience)) return {};
    launcher.wait(patience);  // nothing of it is to be seen any more, either
    const auto told = outcome->read();
    if (told && told->left == 0) return {true, 0};
    // It was too late for its leftover to clean up, or that was killed meanwhile.
    if (::access(session.folder.c_str(), F_OK) != 0) return {true, 0};
    if (!is_here) throw std::runtime_error(elsewhere_words(session.id, "stop"));
    return stop_here(session, kill_after);
}

}  // namespace leftover::run
