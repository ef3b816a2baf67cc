// Children that ended and were never waited for, as their parents saw it when they ended themselves.
#include "preload/core/text.h"
#include "preload/hand/judge.h"

namespace leftover::hand {

namespace {

// What the child ran last: what it was about to execute, if it told its creator after its own record.
void describe(const Member& member, Leak& leak) {
    const Resource& slot = *member.creation;
    const bool is_newer = member.last == nullptr || member.last->ending == record::Ending::exec;
    const Record& image = member.last != nullptr ? *member.last : *slot.record;
    const bool named = is_newer && slot.has(record::execed) && !slot.name.empty();
    leak.name = base_name(named ? slot.name : image.executable);
    leak.command = named ? slot.name : image.command;
}

}  // namespace

void judge_zombies(const Case& about) {
    for (const Member* member : about.census.members()) {
        const Resource* const slot = member->creation;
        if (slot == nullptr || !slot->has(record::zombie) || (about.own_only && !about.is_own(*slot))) continue;
        Leak* const leak = about.findings.make(about.pool(), Kind::zombie, {}, slot);
        if (leak == nullptr) return;
        describe(*member, *leak);
        leak->process = member->pid;
        about.findings.count(about.pool(), leak);
    }
}

}  // namespace leftover::hand
