#include "reporter/sweep/families.h"

#include <dirent.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "reporter/kernel/text.h"

namespace leftover::sweep {
namespace {

std::optional<std::uint64_t> pipe_inode(std::string_view target) {
    constexpr std::string_view prefix = "pipe:[";
    if (!target.starts_with(prefix) || !target.ends_with("]")) return std::nullopt;
    target.remove_prefix(prefix.size());
    target.remove_suffix(1);
    return kernel::parse_number<std::uint64_t>(target);
}

using Holders = std::map<std::uint64_t, std::set<int>>;

Holders holders_of(const std::map<int, Pipes>& pipes) {
    Holders holders;
    for (const auto& [pid, held] : pipes) {
        for (const std::uint64_t inode : held.standard) holders[inode].insert(pid);
        for (const std::uint64_t inode : held.others) holders[inode].insert(pid);
    }
    return holders;
}

}  // namespace

std::optional<Pipes> read_pipes(int pid, const kernel::Roots& roots) {
    const auto folder = roots.proc / std::to_string(pid) / "fd";
    DIR* stream = ::opendir(folder.c_str());
    if (stream == nullptr) return std::nullopt;
    Pipes pipes;
    while (const dirent* entry = ::readdir(stream)) {
        const auto number = kernel::parse_number<int>(std::string_view(entry->d_name));
        if (!number) continue;
        const auto inode = pipe_inode(kernel::read_link(folder / entry->d_name));
        if (inode) (*number <= 2 ? pipes.standard : pipes.others).insert(*inode);
    }
    ::closedir(stream);
    for (const std::uint64_t inode : pipes.standard) pipes.others.erase(inode);
    return pipes;
}

std::set<int> without_program(const std::vector<Candidate>& candidates,
                              const std::map<int, Pipes>& pipes, const std::set<int>& lost) {
    std::set<int> orphans;
    // Everybody in a family holds its tracker's pipe, those whose own program is gone included.
    std::set<std::uint64_t> tracked;
    for (const Candidate& candidate : candidates) {
        orphans.insert(candidate.pid);
        if (candidate.role != python::Role::tracker) continue;
        if (const auto own = pipes.find(candidate.pid); own != pipes.end()) {
            tracked.insert(own->second.others.begin(), own->second.others.end());
        }
    }
    const Holders holders = holders_of(pipes);
    const auto is_held = [&](std::uint64_t inode, int by_others_than) {
        const auto at = holders.find(inode);
        return at != holders.end() &&
               std::any_of(at->second.begin(), at->second.end(), [&](int pid) {
                   return pid != by_others_than && !orphans.contains(pid) && !lost.contains(pid);
               });
    };
    // A worker may have started workers of its own: who has a program is one to its own helpers.
    for (bool changed = true; changed;) {
        changed = false;
        for (const Candidate& candidate : candidates) {
            if (!orphans.contains(candidate.pid)) continue;
            const auto own = pipes.find(candidate.pid);
            if (own == pipes.end()) {  // nobody knows
                orphans.erase(candidate.pid);
                continue;
            }
            const bool is_tracker = candidate.role == python::Role::tracker;
            for (const std::uint64_t inode : own->second.others) {
                if (!is_tracker && tracked.contains(inode)) continue;
                if (!is_held(inode, candidate.pid)) continue;
                orphans.erase(candidate.pid);
                changed = true;
                break;
            }
        }
    }
    return orphans;
}

}  // namespace leftover::sweep
