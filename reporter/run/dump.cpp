#include "reporter/run/dump.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <stdexcept>

#include "reporter/hang/hang.h"
#include "reporter/hang/refusal.h"
#include "reporter/judge/judge.h"
#include "reporter/kernel/machine.h"
#include "reporter/kernel/process.h"
#include "reporter/kernel/text.h"
#include "reporter/model/merge.h"
#include "reporter/run/dump_request.h"
#include "reporter/run/helper_process.h"
#include "reporter/run/session_folder.h"
#include "reporter/run/sessions.h"
#include "reporter/symbols/symbols.h"

namespace leftover::run {
namespace {

namespace fs = std::filesystem;

bool is_process(const ProcessId& id) {
    const auto stat = kernel::read_stat(id.pid);
    return stat && stat->start_ticks == id.start_ticks && kernel::is_alive(*stat);
}

std::vector<SessionEntry> live_sessions() {
    std::vector<std::string> remarks;
    std::vector<SessionEntry> sessions = list_sessions(remarks);
    std::erase_if(sessions, [](const SessionEntry& session) { return session.state == SessionState::ended; });
    return sessions;
}

// Those that wrote a record there and live.
std::vector<int> recorders_in(const std::string& folder) {
    std::vector<int> pids;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        if (const auto process = recorder(entry->path()); process && is_process(*process)) {
            pids.push_back(process->pid);
        }
    }
    std::sort(pids.begin(), pids.end());
    return pids;
}

void add_family(int pid, std::vector<int>& pids) {
    for (const int one : hang::family_of(pid)) {
        if (std::find(pids.begin(), pids.end(), one) == pids.end()) pids.push_back(one);
    }
}

// The program first, then what descends from it, then what was adopted.
std::vector<int> processes_of(const DumpTarget& target) {
    std::vector<int> pids;
    if (target.pid != 0) {
        add_family(target.pid, pids);
        std::erase(pids, ::getpid());
        return pids;
    }
    const auto& session = target.session;
    if (session && is_process(session->program)) add_family(session->program.pid, pids);
    for (const int pid : recorders_in(target.folder)) add_family(pid, pids);
    if (session && is_process(session->launcher)) add_family(session->launcher.pid, pids);
    std::erase_if(pids, [&](int pid) {
        const bool is_launcher = session && pid == session->launcher.pid;
        const auto stat = kernel::read_stat(pid);
        return is_launcher || pid == ::getpid() || (stat && is_helper(*stat));
    });
    return pids;
}

bool is_member(const std::string& folder, int pid, const SessionFile* session) {
    const auto recorders = recorders_in(folder);
    if (std::find(recorders.begin(), recorders.end(), pid) != recorders.end()) return true;
    if (session == nullptr || !is_process(session->launcher)) return false;
    const auto family = hang::family_of(session->launcher.pid);
    return std::find(family.begin(), family.end(), pid) != family.end();
}

std::string user_name(uid_t user) {
    const passwd* entry = ::getpwuid(user);
    return entry != nullptr ? entry->pw_name : std::to_string(user);
}

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what); }

DumpTarget find_process(int pid) {
    const auto stat = kernel::read_stat(pid);
    if (!stat) fail(fmt::format("there is no process {}", pid));
    if (!kernel::is_alive(*stat)) {
        fail(fmt::format("process {} has ended; its parent, {}, has not waited for it", pid, stat->ppid));
    }
    if (pid == ::getpid()) fail(fmt::format("process {} is leftover dump itself", pid));
    DumpTarget target;
    target.pid = pid;
    for (SessionEntry& entry : live_sessions()) {
        const SessionFile* facts = entry.facts && has_our_pids(*entry.facts) ? &*entry.facts : nullptr;
        if (facts != nullptr && facts->launcher.pid == pid && is_process(facts->launcher)) target.pid = 0;
        if (target.pid == 0 || is_member(entry.folder, pid, facts)) {
            target.folder = entry.folder;
            if (facts != nullptr) target.session = std::move(entry.facts);
            break;
        }
    }
    return target;
}

// A process that belongs to no session.
Report bare_report(int pid) {
    Report report;
    Session& session = report.sessions.emplace_back();
    const kernel::System system = kernel::system();
    session.id = fmt::format("pid-{}", pid);
    session.command = kernel::read_command(pid);
    session.cwd = kernel::read_link(fmt::format("/proc/{}/cwd", pid));
    session.host = {system.host, system.kernel, system.machine};
    session.exit.running = true;
    const auto stat = kernel::read_stat(pid);
    if (session.command.empty() && stat) session.command = {stat->comm};
    if (stat) session.started_at = kernel::time_of_ticks(stat->start_ticks);
    return report;
}

ProcessInfo process_entry(int pid) {
    ProcessInfo process;
    const auto stat = kernel::read_stat(pid);
    process.pid = pid;
    process.command = kernel::read_command(pid);
    process.executable = kernel::read_executable(pid);
    process.instrumented = false;
    process.reason = "unknown";
    process.exit.running = true;
    if (!stat) return process;
    process.ppid = stat->ppid;
    process.started_at = kernel::time_of_ticks(stat->start_ticks);
    process.start_ticks = stat->start_ticks;
    return process;
}

// Only what these processes created, and those of them that others created.
void keep_only(Report& report, const std::set<int>& pids) {
    std::erase_if(report.processes, [&](const ProcessInfo& process) { return !pids.contains(process.pid); });
    std::erase_if(report.leaks, [&](const Leak& leak) {
        return !pids.contains(leak.kind == Kind::process ? leak.details.more->pid.value_or(0) : leak.pid);
    });
}

Report holdings(const DumpTarget& target, const std::vector<int>& pids) {
    Report report;
    if (!target.folder.empty()) {
        try {
            JudgeOptions options;
            options.live_processes = pids;
            options.running_threads = true;
            options.ignored_processes = {::getpid()};
            if (target.session) options.ignored_processes.insert(target.session->launcher.pid);
            report = judge_folder(target.folder, options);
        } catch (const std::exception& error) {
            report = {};
            report.remarks.emplace_back(error.what());
        }
    }
    if (target.pid != 0) keep_only(report, {pids.begin(), pids.end()});
    if (report.sessions.empty()) report.sessions = bare_report(pids.front()).sessions;
    std::set<int> known;
    for (const ProcessInfo& process : report.processes) known.insert(process.pid);
    if (target.folder.empty()) {
        for (const int pid : pids) report.processes.push_back(process_entry(pid));
    }
    Session& session = report.sessions.front();
    session.exit = {};
    session.exit.running = true;
    if (session.started_at != 0) {
        session.duration_seconds = static_cast<double>(std::max<Time>(kernel::now() - session.started_at, 0)) / 1e9;
    }
    return report;
}

bool any_refused(const Report& report) {
    return std::any_of(report.hang->processes.begin(), report.hang->processes.end(), [](const HangProcess& process) {
        return hang::is_refusal(process.error);
    });
}

// When the one that was asked for may not be looked into, that is all there is to say.
void check_refusal(const DumpTarget& target, const Report& report) {
    if (!any_refused(report)) return;
    const auto& processes = report.hang->processes;
    const bool all = std::all_of(processes.begin(), processes.end(),
                                 [](const HangProcess& process) { return hang::is_refusal(process.error); });
    const auto status = kernel::read_status(processes.front().pid);
    if (target.pid != 0 && hang::is_refusal(processes.front().error) && status && status->uid != ::geteuid()) {
        fail(fmt::format("process {} belongs to user {}: only {} and root may look into it", target.pid,
                         user_name(status->uid), user_name(status->uid)));
    }
    if (all && target.pid != 0) {
        const std::string rule = hang::ptrace_rule();
        fail(fmt::format("this user may not look into process {}: {}", target.pid,
                         rule.empty() ? "the kernel lets only root, as it has more rights than this user or is closed "
                                        "to others (PR_SET_DUMPABLE)"
                                      : rule));
    }
}

}  // namespace

DumpTarget find_dump_target(const std::string& id_or_pid) {
    if (const auto pid = kernel::parse_number<int>(id_or_pid); pid && *pid > 0) return find_process(*pid);
    if (!is_session_id(id_or_pid)) fail(fmt::format("'{}' is neither a session's id nor a pid", id_or_pid));
    std::vector<std::string> remarks;
    auto entry = find_session(id_or_pid, remarks);
    if (entry && entry->state == SessionState::ended) {
        fail(fmt::format("session '{}' has ended; 'leftover report' shows what it left", id_or_pid));
    }
    if (entry) {
        if (!entry->facts) return {entry->folder, std::nullopt, 0};
        auto facts = with_our_pids(*entry->facts);
        if (!facts) fail(elsewhere_words(id_or_pid, "dump"));
        return {entry->folder, std::move(facts), 0};
    }
    fail(fmt::format("there is no live session '{}'", id_or_pid));
}

void add_creation_stacks(Report& report) {
    if (!report.hang) return;
    for (HangProcess& process : report.hang->processes) {
        for (const Leak& leak : report.leaks) {
            if (leak.kind == Kind::process && leak.details.more->pid == process.pid) process.stack = leak.stack;
            if (leak.details.more->attribution != running_thread || leak.pid != process.pid) continue;
            for (HangThread& thread : process.threads) {
                if (leak.details.more->id == static_cast<std::uint64_t>(thread.tid)) thread.stack = leak.stack;
            }
        }
    }
    std::erase_if(report.leaks, [](const Leak& leak) { return leak.details.more->attribution == running_thread; });
}

Report dump(const DumpTarget& target) {
    const std::vector<int> pids = processes_of(target);
    if (pids.empty()) fail("none of the session's processes lives");
    Report seen;
    hang::record(pids, seen);
    if (any_refused(seen) && target.session && is_process(target.session->launcher)) {
        if (auto answer = ask_launcher(target.folder, target.session->launcher, pids)) seen = std::move(*answer);
    }
    if (!seen.hang || seen.hang->processes.empty()) fail("they ended meanwhile");
    check_refusal(target, seen);

    std::vector<Report> parts;
    parts.push_back(holdings(target, pids));
    seen.sessions.clear();
    parts.push_back(std::move(seen));
    Report report = merge(std::move(parts));
    add_creation_stacks(report);
    symbolize(report);
    return report;
}

}  // namespace leftover::run
