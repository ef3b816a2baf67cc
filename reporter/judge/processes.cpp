// Processes that outlive their session's program.

#include <unistd.h>

#include "reporter/judge/census.h"
#include "reporter/judge/checks.h"
#include "reporter/kernel/holds.h"

namespace leftover::judge {

namespace {

Leak describe_leak(const Member& member, const kernel::Roots& roots, kernel::Holdings& holdings) {
    const kernel::ProcessStat& now = *member.now;
    Leak leak = make_leak(Kind::process, kernel::program_name(now, roots));
    leak.pid = member.info.ppid;
    leak.created_at = member.info.started_at;
    MoreDetails& more = leak.details.more.edit();
    more.pid = now.pid;
    more.command = member.info.command;
    more.state = std::string(1, now.state);
    more.resident_bytes = now.resident_bytes;
    more.start_ticks = now.start_ticks;
    more.holds = holdings.of(now.pid);
    return leak;
}

}  // namespace

void check_processes(const Evidence& evidence, Findings& findings) {
    const JudgeOptions& options = evidence.options;
    kernel::Holdings holdings(options.standard_output, options.standard_error, options.roots);
    for (const Member& member : evidence.census.members()) {
        if (!member.now || member.is_program || member.now->pid == ::getpid() ||
            options.ignored_processes.contains(member.now->pid)) {
            continue;
        }
        Leak leak = describe_leak(member, options.roots, holdings);
        if (member.creation) {
            findings.add(std::move(leak), *member.creation);
            continue;
        }
        // Without a record its parent now may be whoever adopted it.
        if (member.images.empty()) leak.pid = 0;
        findings.add(std::move(leak), *member.session);
    }
}

}  // namespace leftover::judge
