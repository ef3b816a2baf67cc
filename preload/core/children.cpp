#include "preload/core/children.h"

#include <sys/wait.h>

#include <cerrno>

#include "preload/core/clock.h"
#include "preload/core/proc_self.h"
#include "preload/core/process.h"
#include "preload/core/slots.h"
#include "preload/core/sys.h"

namespace leftover {

using record::Kind;
using record::State;

namespace {

bool is_own_child(const SlotRef& ref) {
    const std::uint32_t state = ref.slot->state.load(std::memory_order_acquire) & 0xff;
    return ref.slot->kind == Kind::process && state == static_cast<std::uint32_t>(State::live) &&
           ref.slot->pid == static_cast<std::uint32_t>(identity.pid) &&
           ref.slot->a.load(std::memory_order_acquire) != 0 &&
           (ref.slot->flags.load(std::memory_order_relaxed) & record::fetched) == 0;
}

enum class Child { runs, ended, not_ours };

Child look_at(std::uint64_t pid, siginfo_t& info) {
    __builtin_memset(&info, 0, sizeof info);
    const long result = sys::call(SYS_waitid, P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT, 0L);
    if (result == -ECHILD) return Child::not_ours;
    return result == 0 && static_cast<std::uint64_t>(info.si_pid) == pid ? Child::ended : Child::runs;
}

int status_of(const siginfo_t& info) {
    if (info.si_code == CLD_EXITED) return W_EXITCODE(info.si_status & 0xff, 0);
    return W_EXITCODE(0, info.si_status) | (info.si_code == CLD_DUMPED ? WCOREFLAG : 0);
}

// No child of ours by that number, and no process that began when that child did.
bool is_gone(const record::Slot& slot) {
    const std::uint64_t pid = slot.a.load(std::memory_order_relaxed);
    if (sys::kill(static_cast<pid_t>(pid), 0) == -ESRCH) return true;
    const std::uint64_t ticks = read_start_ticks(static_cast<int>(pid));
    return ticks != 0 && (ticks < slot.b.load(std::memory_order_relaxed) ||
                          (slot.c.load(std::memory_order_relaxed) != 0 && ticks > slot.c.load(std::memory_order_relaxed)));
}

}  // namespace

void note_zombies() {
    if ((options.kinds & record::bit(Kind::zombie)) == 0 || !has_settled()) return;
    for (Mapping* mapping : {fresh.own, fresh.inherited}) {
        if (mapping == nullptr || !*mapping) continue;
        if (mapping->header->counters[static_cast<std::size_t>(Kind::process)].created.load(std::memory_order_relaxed) == 0) {
            continue;
        }
        record::Counter& counter = mapping->header->counters[static_cast<std::size_t>(Kind::zombie)];
        each_slot(*mapping, [&](const SlotRef& ref) {
            siginfo_t info;
            record::Slot& slot = *ref.slot;
            if (!is_own_child(ref) || look_at(slot.a.load(std::memory_order_relaxed), info) != Child::ended) return;
            const std::uint32_t reason = slot.value.load(std::memory_order_relaxed);
            slot.value.store(record::with_wait_status(reason, status_of(info)), std::memory_order_relaxed);
            slot.d.store(realtime_ns(), std::memory_order_relaxed);
            slot.flags.fetch_or(record::zombie, std::memory_order_release);
            // None is ever released: the process ends now.
            counter.peak.store(counter.created.fetch_add(1, std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        });
    }
}

void make_room_for_child(Mapping& mapping) {
    if (&mapping != fresh.own || !is_nearly_full(mapping)) return;
    std::uint32_t seen = 0;
    std::uint32_t gone = 0;
    each_slot(mapping, [&](const SlotRef& ref) {
        ++seen;
        siginfo_t info;
        if (!is_own_child(ref) || look_at(ref.slot->a.load(std::memory_order_relaxed), info) != Child::not_ours ||
            !is_gone(*ref.slot)) {
            return;
        }
        release_slot(ref);
        ++gone;
    });
    // Else this would be done all over at nearly every fork.
    if (gone < seen / 4) grow(mapping, record::ChunkType::slots, 0);
}

}  // namespace leftover
