// Children that ended and were never waited for, as their parents saw it when they ended themselves.

#include <filesystem>

#include "reporter/judge/census.h"
#include "reporter/judge/checks.h"

namespace leftover::judge {

void check_zombies(const Evidence& evidence, Findings& findings) {
    for (const Member& member : evidence.census.members()) {
        if (!member.creation || !member.creation->slot->has(record::zombie)) continue;
        const ProcessInfo& info = member.info;
        Leak leak = make_leak(Kind::zombie, std::filesystem::path(info.executable).filename());
        MoreDetails& more = leak.details.more.edit();
        more.pid = info.pid;
        more.command = info.command;
        more.state = "zombie";
        more.resident_bytes = 0;
        findings.add(std::move(leak), *member.creation);
    }
}

}  // namespace leftover::judge
