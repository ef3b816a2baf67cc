#include "reporter/run/sessions.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <tuple>
#include <utility>

#include "reporter/kernel/machine.h"
#include "reporter/kernel/process.h"
#include "reporter/run/state_folder.h"

namespace leftover::run {
namespace {

namespace fs = std::filesystem;

std::optional<SessionEntry> entry_of(const std::string& folder, std::string id) {
    SessionEntry entry;
    entry.id = std::move(id);
    entry.folder = folder;
    entry.state = session_state(folder);
    entry.facts = read_session_file(folder);
    std::error_code error;
    if (!fs::is_directory(fs::symlink_status(folder, error))) return std::nullopt;
    // One that is just being made: its program does not run yet, and perhaps never will.
    if (entry.state == SessionState::running && !entry.facts) return std::nullopt;
    return entry;
}

Time start_of(const SessionEntry& entry) {
    if (entry.facts) return entry.facts->session.started_at;
    return 0;
}

std::vector<std::string> state_folders_of(std::vector<std::string>& remarks, bool all_users) {
    if (!all_users) return usable_state_folders(remarks);
    std::vector<std::string> folders;
    for (const StatePlace& place : places_of_all_users()) {
        for (std::string& folder : usable_state_folders(remarks, place)) {
            if (std::find(folders.begin(), folders.end(), folder) == folders.end()) {
                folders.push_back(std::move(folder));
            }
        }
    }
    return folders;
}

}  // namespace

std::vector<SessionEntry> list_sessions(std::vector<std::string>& remarks, bool all_users) {
    std::vector<SessionEntry> found;
    for (const std::string& state : state_folders_of(remarks, all_users)) {
        std::error_code error;
        for (fs::directory_iterator each(state, error), end; !error && each != end;
             each.increment(error)) {
            std::string name = each->path().filename().string();
            if (!is_session_id(name)) continue;
            if (auto entry = entry_of(each->path().string(), std::move(name))) {
                found.push_back(std::move(*entry));
            }
        }
    }
    std::sort(found.begin(), found.end(), [](const SessionEntry& one, const SessionEntry& other) {
        return std::tuple(start_of(one), one.id) < std::tuple(start_of(other), other.id);
    });
    return found;
}

std::optional<SessionEntry> find_session(const std::string& id, std::vector<std::string>& remarks) {
    if (!is_session_id(id)) return std::nullopt;
    std::optional<SessionEntry> best;
    for (const std::string& state : usable_state_folders(remarks)) {
        auto entry = entry_of(state + "/" + id, id);
        if (!entry) continue;
        const auto rank = [](const SessionEntry& each) {
            return std::tuple(each.state != SessionState::ended, start_of(each));
        };
        if (!best || rank(*best) < rank(*entry)) best = std::move(entry);
    }
    return best;
}

bool has_our_pids(const SessionFile& facts) {
    const std::uint64_t ours = kernel::own_pid_namespace();
    return facts.boot_id == kernel::boot_id() &&
           (facts.pid_namespace == 0 || ours == 0 || facts.pid_namespace == ours);
}

std::optional<SessionFile> with_our_pids(const SessionFile& facts) {
    if (has_our_pids(facts)) return facts;
    if (facts.boot_id != kernel::boot_id()) return std::nullopt;
    SessionFile ours = facts;
    ours.program = ours.launcher = {};
    for (const int pid : kernel::list_processes()) {
        if (kernel::read_pid_namespace(pid) != facts.pid_namespace) continue;
        const auto status = kernel::read_status(pid);
        if (!status) continue;
        const int inner = status->namespace_pids.back();
        if (inner == facts.program.pid) ours.program = {pid, facts.program.start_ticks};
        if (inner == facts.launcher.pid) ours.launcher = {pid, facts.launcher.start_ticks};
    }
    if (ours.program.pid == 0 && ours.launcher.pid == 0) return std::nullopt;
    ours.pid_namespace = kernel::own_pid_namespace();
    return ours;
}

std::string elsewhere_words(const std::string& id, std::string_view command) {
    return fmt::format("session '{0}' runs in another pid namespace, whose processes do not show here: run "
                       "'leftover {1} {0}' in there (in its container, by docker exec, kubectl exec or nsenter)",
                       id, command);
}

}  // namespace leftover::run
