#include "reporter/clean/clean.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <map>
#include <utility>
#include <vector>

#include "reporter/clean/journal.h"
#include "reporter/clean/names.h"
#include "reporter/clean/processes.h"
#include "reporter/model/merge.h"
#include "reporter/render/words.h"

namespace leftover::clean {

namespace {

using Clock = std::chrono::steady_clock;

// Whoever forks for ever is not chased for ever.
constexpr auto longest_chase = std::chrono::seconds(10);

bool is_to_be_cleaned(const Leak& leak) {
    return leak.status == Status::leaked && leak.severity != Severity::note &&
           leak.details.more->attribution != "window" &&
           record::row(leak.kind).cleanup != record::Cleanup::none;
}

std::vector<Leak*> processes_of(Report& report) {
    std::vector<Leak*> found;
    for (Leak& leak : report.leaks) {
        if (leak.kind == Kind::process && leak.details.more->pid && is_to_be_cleaned(leak)) {
            found.push_back(&leak);
        }
    }
    return found;
}

// Those that were ended do not run any more, whatever was known of them.
void note_ends(Report& report) {
    std::map<std::pair<int, std::uint64_t>, ProcessInfo*> processes;
    for (ProcessInfo& process : report.processes) {
        processes[{process.pid, process.start_ticks}] = &process;
    }
    for (const Leak& leak : report.leaks) {
        if (leak.kind != Kind::process || leak.status != Status::cleaned) continue;
        const auto at =
            processes.find({leak.details.more->pid.value_or(0), leak.details.more->start_ticks.value_or(0)});
        if (at != processes.end()) at->second->exit.running = false;
    }
}

void look_again(Report& report, const Options& options) {
    if (!options.look) return;
    try {
        std::vector<Report> both;
        both.push_back(std::move(report));
        both.push_back(options.look());
        report = merge(std::move(both));
    } catch (const std::exception& error) {
        report.remarks.emplace_back(error.what());
    }
    if (report.sessions.size() == 1) {
        for (Leak& leak : report.leaks) leak.session.clear();
    }
}

void end_all_processes(Report& report, const Options& options, Journal& journal) {
    const auto begin = Clock::now();
    const auto kill_at =
        begin + std::chrono::duration_cast<Clock::duration>(
                    std::chrono::duration<double>(std::clamp(options.kill_after, 0.0, 1e9)));
    for (;;) {
        const std::vector<Leak*> processes = processes_of(report);
        if (processes.empty()) return;
        end_processes(processes, kill_at, options, journal);
        look_again(report, options);
        if (Clock::now() > kill_at + longest_chase) break;
    }
    for (Leak* leak : processes_of(report)) {
        journal.enter(*leak, "kill", failed("the session starts processes faster than they can be ended"));
    }
}

}  // namespace

void clean(Report& report, const Options& options) {
    Journal journal(report, options);
    end_all_processes(report, options, journal);
    std::vector<Leak*> names;
    for (Leak& leak : report.leaks) {
        if (leak.kind != Kind::process && is_to_be_cleaned(leak)) names.push_back(&leak);
    }
    remove_names(names, journal);
    note_ends(report);
    journal.close();
}

bool is_all_clean(const Report& report) {
    return std::none_of(report.leaks.begin(), report.leaks.end(), [](const Leak& leak) {
        return is_to_be_cleaned(leak) || leak.status == Status::in_use ||
               leak.status == Status::failed;
    });
}

std::string summary_line(const Report& report) {
    std::uint64_t cleaned = 0;
    std::uint64_t all = 0;
    std::map<Status, std::uint64_t> others;
    for (const Leak& leak : report.leaks) {
        const bool tried = leak.status == Status::cleaned || leak.status == Status::in_use ||
                           leak.status == Status::failed;
        if (!tried) continue;
        ++all;
        if (leak.status == Status::cleaned) {
            ++cleaned;
        } else {
            ++others[leak.status];
        }
    }
    const CleanupLog none;
    const CleanupLog& log = report.cleanup ? *report.cleanup : none;
    std::string line =
        cleaned == all ? fmt::format("cleaned up {} {}", all, all == 1 ? "thing" : "things")
                       : fmt::format("cleaned up {} of {} things", cleaned, all);
    line += fmt::format(" in {}, {} of memory freed", render::seconds_words(log.duration_seconds),
                        render::size_words(log.reclaimed_bytes));
    std::string separator = "; ";
    for (const auto& [status, count] : others) {
        line += fmt::format("{}{} {}", separator, count, render::status_words(status));
        separator = ", ";
    }
    return line;
}

}  // namespace leftover::clean
