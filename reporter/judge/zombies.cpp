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
        leak.details.pid = info.pid;
        leak.details.command = info.command;
        leak.details.state = "zombie";
        leak.details.resident_bytes = 0;
        findings.add(std::move(leak), *member.creation);
    }
}

}  // namespace leftover::judge
