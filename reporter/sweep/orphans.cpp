#include "reporter/sweep/orphans.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "reporter/judge/evidence.h"
#include "reporter/kernel/file.h"
#include "reporter/kernel/holds.h"
#include "reporter/kernel/machine.h"
#include "reporter/kernel/process.h"
#include "reporter/kernel/users.h"
#include "reporter/sweep/families.h"

namespace leftover::sweep {
namespace {

bool is_of(uid_t owner, const Whose& whose) { return !whose.user || *whose.user == owner; }

bool is_python(std::string_view comm) {
    return comm.starts_with("python") || comm.starts_with("pypy");
}

// Its parent may be its program although we cannot see what they share: in an outer pid namespace, or
// another user's.
bool may_have_hidden_program(const kernel::ProcessStat& stat, const std::map<int, Pipes>& pipes,
                             const kernel::Roots& roots) {
    if (stat.ppid == 0) return true;
    if (pipes.contains(stat.ppid)) return false;
    const auto parent = kernel::read_stat(stat.ppid, roots);
    return parent && is_python(parent->comm);
}

Leak leak_of(const kernel::ProcessStat& stat, const std::vector<std::string>& command,
             kernel::Holdings& holdings, const kernel::Roots& roots) {
    Leak leak = judge::make_leak(Kind::process, kernel::program_name(stat, roots));
    leak.created_at = kernel::time_of_ticks(stat.start_ticks);
    MoreDetails& more = leak.details.more.edit();
    more.pid = stat.pid;
    more.command = command;
    more.state = std::string(1, stat.state);
    more.resident_bytes = stat.resident_bytes;
    more.start_ticks = stat.start_ticks;
    more.holds = holdings.of(stat.pid);
    return leak;
}

// What multiprocessing's synchronize.py, shared_memory.py and heap.py, loky and PyTorch call their
// objects.
bool is_made_up_name(std::string_view name) {
    static constexpr std::array prefixes{"sem.mp-", "sem.loky-", "psm_",  "pym-",
                                         "loky-",   "torch_"};
    return std::any_of(prefixes.begin(), prefixes.end(), [name](std::string_view prefix) {
        return name.size() > prefix.size() && name.starts_with(prefix);
    });
}

bool has(const Pipes& pipes, std::uint64_t inode) {
    return pipes.standard.contains(inode) || pipes.others.contains(inode);
}

// Whom it keeps waiting for the end of a pipe: `pipe:4711 (tee)`.
void add_shared_pipes(Leak& leak, const std::map<int, Pipes>& pipes, const std::set<int>& orphans,
                      const kernel::Roots& roots) {
    const auto own = pipes.find(*leak.details.more->pid);
    if (own == pipes.end()) return;
    for (const auto& [pid, held] : pipes) {
        if (orphans.contains(pid)) continue;
        const auto is_shared = [&held = held](std::uint64_t inode) { return has(held, inode); };
        const Pipes& its = own->second;
        if (std::none_of(its.standard.begin(), its.standard.end(), is_shared) &&
            std::none_of(its.others.begin(), its.others.end(), is_shared)) {
            continue;
        }
        const auto stat = kernel::read_stat(pid, roots);
        if (!stat) continue;
        auto& holds = leak.details.more.edit().holds;
        if (!holds) holds.emplace();
        holds->push_back(fmt::format("pipe:{} ({})", pid, kernel::program_name(*stat, roots)));
    }
}

}  // namespace

std::vector<Orphan> find_orphans(const Whose& whose, const kernel::Roots& roots) {
    struct Found {
        kernel::ProcessStat stat;
        std::vector<std::string> command;
    };
    std::map<int, Pipes> pipes;
    std::map<int, Found> found;
    std::vector<Candidate> candidates;
    for (const int pid : kernel::list_processes(roots)) {
        const auto stat = kernel::read_stat(pid, roots);
        if (!stat || !kernel::is_alive(*stat)) continue;
        if (auto held = read_pipes(pid, roots)) pipes.emplace(pid, std::move(*held));
        if (whose.spared.contains(pid) || whose.lost.contains(pid)) continue;
        auto command = kernel::read_command(pid, roots);
        const python::Role role = python::role_of(command);
        if (role == python::Role::none) continue;
        const auto status = kernel::read_status(pid, roots);
        if (!status || !is_of(status->uid, whose)) continue;
        candidates.push_back({pid, role});
        found.emplace(pid, Found{*stat, std::move(command)});
    }
    std::vector<Orphan> orphans;
    kernel::Holdings holdings(std::nullopt, std::nullopt, roots);
    const std::set<int> lone = without_program(candidates, pipes, whose.lost);
    for (const Candidate& candidate : candidates) {
        const Found& process = found.at(candidate.pid);
        if (!lone.contains(candidate.pid) ||
            may_have_hidden_program(process.stat, pipes, roots)) {
            continue;
        }
        orphans.push_back(
            {leak_of(process.stat, process.command, holdings, roots), candidate.role});
    }
    for (Orphan& orphan : orphans) add_shared_pipes(orphan.leak, pipes, lone, roots);
    return orphans;
}

std::vector<Leak> find_names(const Whose& whose, const std::set<int>& dying,
                             const kernel::Roots& roots) {
    const auto files = kernel::list_folder(roots.shm, is_made_up_name);
    if (files.empty()) return {};
    std::vector<int> others = kernel::list_processes(roots);
    std::erase_if(others, [&](int pid) { return dying.contains(pid); });
    const kernel::UsedFiles used = kernel::used_files(others, roots);
    std::vector<Leak> names;
    for (const kernel::NamedFile& file : files) {
        const kernel::FileFacts& facts = file.facts;
        if (!S_ISREG(facts.mode) || !is_of(facts.uid, whose) || used.uses(facts.id)) continue;
        constexpr std::string_view semaphore = "sem.";
        const bool is_semaphore = file.name.starts_with(semaphore);
        const std::string name =
            fmt::format("/{}", file.name.substr(is_semaphore ? semaphore.size() : 0));
        Leak leak =
            judge::make_leak(is_semaphore ? Kind::semaphore : Kind::shared_memory, name);
        leak.created_at = facts.born;
        leak.details.path = roots.shm / file.name;
        leak.details.inode = facts.id.inode;
        leak.details.device = facts.id.device;
        leak.details.bytes = facts.bytes;
        names.push_back(std::move(leak));
    }
    return names;
}

}  // namespace leftover::sweep
