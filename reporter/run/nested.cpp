#include "reporter/run/nested.h"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <iterator>
#include <set>
#include <utility>
#include <vector>

#include "reporter/model/merge.h"
#include "reporter/run/session_folder.h"

namespace leftover::run {
namespace {

namespace fs = std::filesystem;

constexpr int deepest = 16;

// The folders that OUTER/nested leads to, those of sessions inside these included. A session of which
// nothing is left has none any more.
void collect(const fs::path& outer, int depth, std::set<fs::path>& folders) {
    if (depth > deepest) return;
    std::error_code error;
    for (fs::directory_iterator entry(outer / "nested", error), end; !error && entry != end;
         entry.increment(error)) {
        std::error_code gone;
        const fs::path folder = fs::canonical(entry->path(), gone);
        if (!gone && folders.insert(folder).second) collect(folder, depth + 1, folders);
    }
}

// The outer session sees the processes of the inner one, too; the inner one knows more about them.
void drop_what_both_tell(Report& outer, const Report& inner) {
    std::set<int> processes, leaks;
    for (const ProcessInfo& process : inner.processes) processes.insert(process.pid);
    for (const Leak& leak : inner.leaks) {
        if (leak.kind == Kind::process && leak.details.more->pid) leaks.insert(*leak.details.more->pid);
    }
    std::erase_if(outer.leaks, [&](const Leak& leak) {
        return leak.kind == Kind::process && leak.details.more->pid && leaks.contains(*leak.details.more->pid);
    });
    // Those that recorded for the outer session are another matter than those it merely saw.
    std::erase_if(outer.processes, [&](const ProcessInfo& process) {
        return !process.instrumented && processes.contains(process.pid);
    });
}

}  // namespace

void add_nested(Report& report, const std::string& folder, const JudgeOptions& options) {
    std::set<fs::path> folders;
    collect(folder, 0, folders);
    if (folders.empty()) return;

    JudgeOptions inner_options = options;
    inner_options.live_processes.clear();
    std::vector<Report> all;
    all.push_back(std::move(report));
    for (const fs::path& inner : folders) {
        try {
            Report nested = judge_folder(inner, inner_options);
            drop_what_both_tell(all.front(), nested);
            all.push_back(std::move(nested));
        } catch (const std::exception& error) {
            all.front().remarks.emplace_back(error.what());
        }
    }
    const std::vector<Session> session = all.front().sessions;
    report = merge(std::move(all));
    report.sessions = session;  // it is the outer one's report
    for (Leak& leak : report.leaks) leak.session.clear();
}

void remove_finished_nested(const std::string& folder) {
    std::set<fs::path> folders;
    collect(folder, 0, folders);
    // The innermost ones first: as long as one is there, something of the outer one's is.
    std::vector<fs::path> sorted(folders.begin(), folders.end());
    std::vector<fs::path> left;
    while (!sorted.empty()) {
        left.clear();
        for (const fs::path& inner : sorted) {
            if (!remove_if_finished(inner)) left.push_back(inner);
        }
        if (left.size() == sorted.size()) break;
        sorted.swap(left);
    }
    std::error_code error;
    for (fs::directory_iterator entry(fs::path(folder) / "nested", error), end; !error && entry != end;
         entry.increment(error)) {
        std::error_code ignored;
        if (!fs::exists(entry->path(), ignored)) fs::remove(entry->path(), ignored);
    }
    fs::remove(fs::path(folder) / "nested", error);  // if it is empty
}

}  // namespace leftover::run
