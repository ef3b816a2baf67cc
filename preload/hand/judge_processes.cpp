// Processes that outlive the session's program.
#include "preload/core/process.h"
#include "preload/core/text.h"
#include "preload/hand/holds.h"
#include "preload/hand/judge.h"

namespace leftover::hand {

namespace {

constexpr std::size_t longest_command = 4096;

// Everything here is done under the lock of the one who ends.
char buffer[longest_command];

std::string_view program_name(const Member& member, Pool& pool) {
    const std::string_view path = read_executable_of(member.pid, buffer, sizeof buffer);
    return pool.keep(path.empty() ? std::string_view(member.now.name) : base_name(path));
}

int creator_of(const Member& member) {
    if (member.creation != nullptr) return member.creation->pid;
    return member.first != nullptr ? member.first->ppid : 0;
}

}  // namespace

void judge_processes(const Case& about) {
    for (const Member* member : about.census.members()) {
        if (!member->alive || member->foreign || member->is_self || member->is_root) continue;
        const int creator = creator_of(*member);
        if (about.own_only && creator != identity.pid) continue;
        Pool& pool = about.pool();
        Leak* const leak =
            about.findings.make(pool, Kind::process, program_name(*member, pool), member->creation);
        if (leak == nullptr) return;
        leak->pid = creator;
        if (leak->created_ns == 0) leak->created_ns = member->first->started_ns;
        leak->process = member->pid;
        leak->start_ticks = member->now.start_ticks;
        leak->command = pool.keep(read_command_of(member->pid, buffer, sizeof buffer));
        if (leak->command.empty() && member->last != nullptr) leak->command = member->last->command;
        leak->state = member->now.state;
        leak->resident_bytes = member->now.resident_bytes;
        leak->holds_known = read_holdings(member->pid, pool, leak->holds);
        about.findings.count(pool, leak);
    }
}

}  // namespace leftover::hand
