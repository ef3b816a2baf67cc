#include "reporter/run/session_view.h"

#include <exception>
#include <set>

#include "reporter/judge/judge.h"
#include "reporter/kernel/machine.h"
#include "reporter/kernel/process.h"
#include "reporter/run/descendants.h"

namespace leftover::run {
namespace {

bool is_same(const ProcessId& id) {
    const auto stat = kernel::read_stat(id.pid);
    return stat && stat->start_ticks == id.start_ticks && kernel::is_alive(*stat);
}

// Those that descend from its leftover, or, when that is gone, from its program.
std::vector<int> tree_of(const SessionFile& facts) {
    if (!has_our_pids(facts)) return {};
    if (is_same(facts.launcher)) return live_descendants_of(facts.launcher.pid);
    std::vector<int> found;
    if (is_same(facts.program)) {
        found = live_descendants_of(facts.program.pid);
        found.push_back(facts.program.pid);
    }
    return found;
}

void add_process(SessionView& view, int pid) {
    const auto stat = kernel::read_stat(pid);
    if (!stat || !kernel::is_alive(*stat)) return;
    view.processes += 1;
    view.threads += static_cast<std::uint64_t>(stat->threads);
    view.resident_bytes += stat->resident_bytes;
}

void take_facts(SessionView& view, const SessionFile& facts) {
    const Session& session = facts.session;
    view.pid = facts.program.pid;
    view.command = session.command;
    view.labels = session.labels;
    view.started_at = session.started_at;
    view.exit = session.exit;
    view.elapsed_seconds = session.duration_seconds;
    view.standard_output = facts.standard_output;
    view.standard_error = facts.standard_error;
    view.report = facts.report;
}

void count(SessionView& view, const SessionEntry& entry) {
    std::set<int> pids;
    JudgeOptions options;
    options.include_notes = false;
    if (entry.facts) {
        options.live_processes = tree_of(*entry.facts);
        options.ignored_processes = {entry.facts->launcher.pid};
        pids.insert(options.live_processes.begin(), options.live_processes.end());
    }
    try {
        const Report report = judge_folder(entry.folder, options);
        for (const ProcessInfo& process : report.processes) {
            if (process.exit.running) pids.insert(process.pid);
        }
        for (const Leak& leak : report.leaks) {
            if (leak.kind == Kind::semaphore) view.semaphores += 1;
            if (leak.kind == Kind::shared_memory) view.shared_memory += 1;
        }
        if (!entry.facts && !report.sessions.empty()) {
            const Session& session = report.sessions.front();
            view.command = session.command;
            view.started_at = session.started_at;
            if (!report.processes.empty()) view.pid = report.processes.front().pid;
        }
    } catch (const std::exception&) {
        // Its folder has just gone, or holds nothing yet.
    }
    for (const int pid : pids) add_process(view, pid);
}

}  // namespace

SessionView view_of(const SessionEntry& entry) {
    SessionView view;
    view.id = entry.id;
    view.state = entry.state;
    if (entry.facts) take_facts(view, *entry.facts);
    count(view, entry);
    const bool ended = entry.facts && entry.facts->ended;
    if (view.state == SessionState::ended) {
        if (!ended) view.exit = {};  // nobody saw it
    } else if (!ended) {
        view.exit = {};
        view.exit.running = true;
        if (view.started_at != 0) {
            view.elapsed_seconds = static_cast<double>(kernel::now() - view.started_at) / 1e9;
        }
    }
    return view;
}

}  // namespace leftover::run
