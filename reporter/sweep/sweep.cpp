#include "reporter/sweep/sweep.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <map>
#include <set>
#include <utility>

#include "reporter/clean/clean.h"
#include "reporter/judge/judge.h"
#include "reporter/kernel/process.h"
#include "reporter/render/words.h"
#include "reporter/run/descendants.h"
#include "reporter/run/sessions.h"
#include "reporter/sweep/orphans.h"

namespace leftover::sweep {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* reason_helper = "Python multiprocessing helper whose program is gone";
constexpr const char* reason_name = "a name that Python multiprocessing made up, and nobody has open";

struct DeadSession {
    run::SessionEntry entry;
    Report report;
};

// What is to be known of the machine before anything is called left over.
struct Survey {
    std::vector<DeadSession> dead;
    std::vector<Leftover> unsupervised;  // their leftover died, their program runs on
    Whose whose;
    std::set<std::string> claimed;       // paths of names that live sessions hold
    std::vector<std::string> remarks;
};

bool matches(const Leak& leak, const Options& options) {
    if (!options.pattern) return true;
    const auto has = [&](const std::string& text) {
        return std::regex_search(text, *options.pattern);
    };
    return has(leak.name) || (leak.details.path && has(*leak.details.path)) ||
           (leak.details.more->command && has(fmt::format("{}", fmt::join(*leak.details.more->command, " "))));
}

std::string_view action_for(Kind kind) {
    switch (record::row(kind).cleanup) {
        case record::Cleanup::terminate: return "terminate";
        case record::Cleanup::unlink: return "unlink";
        case record::Cleanup::remove: return "remove";
        case record::Cleanup::none: break;
    }
    return "";
}

// Only what outlives a program is left over, and only what nobody has excused or merely seen appear.
void keep_leftovers(Report& report, const Options& options) {
    std::erase_if(report.leaks, [&](const Leak& leak) {
        return leak.severity != Severity::error || leak.details.more->attribution ||
               !record::row(leak.kind).outlives_process || !matches(leak, options);
    });
}

std::string words_of(const Report& report) {
    const Session& session = report.sessions.front();
    const std::string exit = render::exit_words(session);
    return fmt::format("left by {}{}", render::command_words(session.command, 60),
                       exit.empty() ? "" : fmt::format(" ({})", exit));
}

void spare_tree(int pid, Whose& whose) {
    whose.spared.insert(pid);
    for (const int below : run::live_descendants_of(pid)) whose.spared.insert(below);
}

bool lives(const run::ProcessId& id) {
    const auto stat = kernel::read_stat(id.pid);
    return stat && stat->start_ticks == id.start_ticks && kernel::is_alive(*stat);
}

// By hand there is no launcher: the session is over with its root.
bool program_lives(const run::SessionEntry& entry, const Report& report) {
    if (entry.facts) return run::has_our_pids(*entry.facts) && lives(entry.facts->program);
    return !report.sessions.empty() && report.sessions.front().exit.running;
}

void add_unsupervised(const run::SessionEntry& entry, const Report& report, Survey& survey) {
    for (const ProcessInfo& process : report.processes) {
        if (process.exit.running || process.ended_at == 0) survey.whose.spared.insert(process.pid);
    }
    for (const Leak& leak : report.leaks) {
        if (leak.details.path) survey.claimed.insert(*leak.details.path);
    }
    if (!entry.facts) return;  // by hand: nothing is missing
    spare_tree(entry.facts->program.pid, survey.whose);
    const auto stat = kernel::read_stat(entry.facts->program.pid);
    if (!stat) return;
    Leftover told;
    told.leak.kind = Kind::process;
    told.leak.severity = Severity::note;
    told.leak.name = kernel::program_name(*stat);
    told.leak.created_at = entry.facts->session.started_at;
    MoreDetails& more = told.leak.details.more.edit();
    more.pid = stat->pid;
    more.command = entry.facts->session.command;
    more.resident_bytes = stat->resident_bytes;
    told.session = entry.id;
    told.reason = "its leftover has died, the program runs on: not touched";
    survey.unsupervised.push_back(std::move(told));
}

Report judge(const run::SessionEntry& entry) {
    JudgeOptions options;
    options.include_notes = false;
    options.ignored_processes = {::getpid()};
    return judge_folder(entry.folder, options);
}

Survey survey_sessions(const Options& options) {
    Survey survey;
    if (!options.all_users) survey.whose.user = ::geteuid();
    for (int pid = ::getpid(); pid > 1;) {  // whoever asked is at work
        survey.whose.spared.insert(pid);
        const auto stat = kernel::read_stat(pid);
        pid = stat ? stat->ppid : 0;
    }
    for (run::SessionEntry& entry : run::list_sessions(survey.remarks, options.all_users)) {
        try {
            Report report = judge(entry);
            if (entry.state == run::SessionState::running) {
                if (entry.facts && run::has_our_pids(*entry.facts)) {
                    spare_tree(entry.facts->launcher.pid, survey.whose);
                }
                for (const Leak& leak : report.leaks) {
                    if (leak.details.path) survey.claimed.insert(*leak.details.path);
                }
            } else if (program_lives(entry, report)) {
                add_unsupervised(entry, report, survey);
            } else {
                for (const Leak& leak : report.leaks) {
                    if (leak.details.more->pid) survey.whose.lost.insert(*leak.details.more->pid);
                    if (leak.details.path) survey.claimed.insert(*leak.details.path);
                }
                survey.dead.push_back({std::move(entry), std::move(report)});
            }
        } catch (const std::exception& trouble) {
            // One that ended while we looked is no trouble.
            if (::access(entry.folder.c_str(), F_OK) == 0) survey.remarks.emplace_back(trouble.what());
        }
    }
    return survey;
}

// Orphans and their names, as a report of nobody's session.
Report find_stray(const Survey& survey, const Options& options) {
    Report report;
    report.sessions.emplace_back();
    std::set<int> dying = survey.whose.lost;
    for (Orphan& orphan : find_orphans(survey.whose)) {
        dying.insert(*orphan.leak.details.more->pid);
        report.leaks.push_back(std::move(orphan.leak));
    }
    for (Leak& name : find_names(survey.whose, dying)) {
        if (!survey.claimed.contains(*name.details.path)) report.leaks.push_back(std::move(name));
    }
    std::erase_if(report.leaks, [&](const Leak& leak) { return !matches(leak, options); });
    return report;
}

std::string_view reason_for(const Leak& leak) {
    return leak.kind == Kind::process ? reason_helper : reason_name;
}

Leftover leftover_of(const Leak& leak, std::string session, std::string reason) {
    return {leak, std::move(session), std::move(reason), std::string(action_for(leak.kind)), ""};
}

// The last action that was taken on it says how.
void take_result(Leftover& item, const Report& report) {
    switch (item.leak.status) {
        case Status::cleaned: item.result = "done"; break;
        case Status::in_use: item.result = "in_use"; break;
        case Status::failed: item.result = "failed"; break;
        default: return;
    }
    const int pid = item.leak.details.more->pid.value_or(item.leak.pid);
    for (const CleanupAction& action : report.cleanup->actions) {
        if (action.kind != item.leak.kind || action.name != item.leak.name || action.pid != pid) continue;
        item.action = action.action;
        item.result = action.result;
    }
}

void add_results(const Report& report, const std::string& session, const std::string& reason,
                 Found& found) {
    for (const Leak& leak : report.leaks) {
        Leftover item =
            leftover_of(leak, session, reason.empty() ? std::string(reason_for(leak)) : reason);
        if (report.cleanup) take_result(item, report);
        found.leftovers.push_back(std::move(item));
    }
    if (report.cleanup) found.reclaimed_bytes += report.cleanup->reclaimed_bytes;
}

void clean_session(DeadSession& session, const Options& options, clean::Options how, Found& found) {
    const auto lock = run::lock_dead_session(session.entry.folder);
    if (!lock) {
        found.remarks.push_back(
            fmt::format("session '{}' is being cleaned up by somebody else", session.entry.id));
        return;
    }
    how.look = [&] {
        Report report = judge(session.entry);
        keep_leftovers(report, options);
        return report;
    };
    const std::string reason = words_of(session.report);
    const bool is_whole = session.report.sessions.front().complete;
    clean::clean(session.report, how);
    add_results(session.report, session.entry.id, reason, found);
    const bool is_kept = session.entry.facts && session.entry.facts->kept;
    // With a pattern there may be more than was looked at.
    if (is_whole && !is_kept && !options.pattern && clean::is_all_clean(session.report)) {
        run::remove_if_finished(session.entry.folder, *lock);
    }
}

}  // namespace

Found look(const Options& options) {
    Found found;
    Survey survey = survey_sessions(options);
    for (DeadSession& session : survey.dead) {
        keep_leftovers(session.report, options);
        add_results(session.report, session.entry.id, words_of(session.report), found);
    }
    add_results(find_stray(survey, options), "", "", found);
    for (Leftover& told : survey.unsupervised) found.leftovers.push_back(std::move(told));
    found.remarks = std::move(survey.remarks);
    return found;
}

Found clean_up(const Options& options) {
    const auto begin = Clock::now();
    Found found;
    Survey survey = survey_sessions(options);
    clean::Options how;
    how.kill_after = options.kill_after;
    how.all_users = options.all_users;
    how.log = options.log;
    found.remarks = std::move(survey.remarks);
    for (DeadSession& session : survey.dead) {
        keep_leftovers(session.report, options);
        clean_session(session, options, how, found);
    }
    Report stray = find_stray(survey, options);
    if (!stray.leaks.empty()) {
        how.look = [&] { return find_stray(survey, options); };
        clean::clean(stray, how);
        add_results(stray, "", "", found);
    }
    for (Leftover& told : survey.unsupervised) found.leftovers.push_back(std::move(told));
    found.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    return found;
}

bool is_nothing_left(const Found& found) {
    return std::all_of(found.leftovers.begin(), found.leftovers.end(), [](const Leftover& item) {
        return item.action.empty() || item.result == "done" || item.result == "gone" ||
               item.result == "in_use";
    });
}

}  // namespace leftover::sweep
