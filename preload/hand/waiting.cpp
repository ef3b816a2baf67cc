#include "preload/hand/waiting.h"

#include "preload/core/clock.h"
#include "preload/core/process.h"
#include "preload/core/sys.h"
#include "preload/hand/census.h"
#include "preload/hand/freeze.h"
#include "preload/hand/options.h"
#include "preload/hand/shared_pipes.h"

namespace leftover::hand {

namespace {

constexpr std::uint64_t step_ns = 5'000'000;
constexpr std::uint64_t patience_ns = 1'000'000'000;  // with those that are about to end

struct Living {
    int pid;
    std::uint64_t ticks;
};

bool counts(const Member& member, bool ended_only) {
    if (!member.alive || member.is_self) return false;
    return !ended_only || member.says_ended();
}

// Most processes never create another: no need to look into /proc for one.
bool is_alone(const Evidence& evidence) {
    if (evidence.records.size() != 1 || evidence.own == nullptr) return false;
    for (const Resource* resource : evidence.own->resources) {
        if (resource->kind == record::Kind::process) return false;
    }
    return true;
}

List<Living> living(Evidence& evidence, bool ended_only) {
    List<Living> list;
    evidence.read_session(true);
    if (is_alone(evidence)) return list;
    const Census census(evidence);
    for (const Member* member : census.members()) {
        // Whether one of another pid namespace ends, only its record tells, and that is read anew
        // when all others are gone.
        if (!counts(*member, ended_only) || member->foreign) continue;
        list.add(evidence.pool, {member->pid, member->now.start_ticks});
    }
    return list;
}

bool any_alive(const List<Living>& list) {
    for (const Living& one : list) {
        if (is_alive(one.pid, one.ticks)) return true;
    }
    return false;
}

void pause() {
    const struct timespec step = {0, step_ns};
    sys::call(SYS_nanosleep, &step, 0L);
}

void wait(Evidence& evidence, std::uint64_t deadline_ns, bool ended_only) {
    for (;;) {
        const List<Living> list = living(evidence, ended_only);
        if (list.size() == 0) break;
        freeze_others();
        SharedPipes pipes(evidence.pool);
        for (const Living& one : list) pipes.add_reader(one.pid);
        pipes.let_go();
        while (any_alive(list)) {
            if (clock_ns(CLOCK_MONOTONIC) >= deadline_ns) {
                evidence.clear();
                return;
            }
            pause();
        }
        // All gone; they may have started others meanwhile.
    }
    evidence.clear();
}

}  // namespace

void wait_for_others(Evidence& evidence) {
    const std::uint64_t begin = clock_ns(CLOCK_MONOTONIC);
    wait(evidence, begin + settings.grace_ns, false);
    if (settings.grace_ns < patience_ns) wait(evidence, begin + patience_ns, true);
}

void wait_for_ending(Evidence& evidence) {
    wait(evidence, clock_ns(CLOCK_MONOTONIC) + patience_ns, true);
}

bool others_live(Evidence& evidence) {
    evidence.read_session(true);
    const Census census(evidence);
    const std::uint64_t own_end = evidence.own != nullptr ? evidence.own->ended_ns : realtime_ns();
    bool found = false;
    for (const Member* member : census.members()) {
        if (!member->alive || member->is_self) continue;
        const bool before_us = member->says_ended() &&
                               (member->last->ended_ns != own_end ? member->last->ended_ns < own_end
                                                                  : member->pid < identity.pid);
        found = found || !before_us;
    }
    evidence.clear();
    return found;
}

}  // namespace leftover::hand
