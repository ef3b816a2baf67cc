#include "preload/core/pending.h"

#include <linux/stat.h>
#include <sys/sysmacros.h>

#include "preload/core/clock.h"
#include "preload/core/process.h"
#include "preload/core/sys.h"
#include "preload/core/text.h"

namespace leftover {

namespace {

// File times come from a coarser clock, which lags by up to a tick.
constexpr std::uint64_t tick_ns = 10'000'000;

bool is_live(const SlotRef& ref) {
    return ref && ref.slot->state.load(std::memory_order_acquire) ==
                      (ref.generation << 8 | static_cast<std::uint32_t>(record::State::live));
}

// To be looked at when the thread creates something else.
void remember(const SlotRef& slot) {
    ThreadState& self = thread_state;
    self.pending_slot = slot.id;
    self.pending_generation = slot.generation;
    self.pending_serial = slot.mapping->serial;
}

}  // namespace

void confirm_later(const SlotRef& slot) {
    if (!slot) return;
    slot.slot->d.store(realtime_ns(), std::memory_order_relaxed);
    confirm_slot(slot);
    remember(slot);
}

void confirm_later(const SlotRef& slot, int fd) {
    struct stat status;
    if (!slot || !thread_state.keeps_what_it_creates || sys::fstat(fd, &status) != 0) return confirm_later(slot);
    slot.slot->a.store(status.st_ino, std::memory_order_relaxed);
    slot.slot->b.store(status.st_dev, std::memory_order_relaxed);
    confirm_slot(slot);
    remember(slot);
}

void look_up_pending() {
    ThreadState& self = thread_state;
    const record::SlotId id = self.pending_slot;
    if (id == 0) return;
    self.pending_slot = 0;
    Mapping* const mapping = opened_record();
    if (mapping == nullptr || mapping->serial != self.pending_serial) return;
    SlotRef ref = slot_at(*mapping, id);
    ref.generation = self.pending_generation;
    self.keeps_what_it_creates = is_live(ref);
    if (!self.keeps_what_it_creates || ref.slot->next != 0 || ref.slot->a.load(std::memory_order_relaxed) != 0) return;
    const std::size_t size = ref.slot->name_size;
    char path[16 + record::inline_name_size];
    Text text(path, sizeof path);
    text << (ref.slot->kind == record::Kind::semaphore ? "/dev/shm/sem." : "/dev/shm/") << behind({ref.slot->name, size}, 1);
    struct statx status;
    if (!is_live(ref) || sys::call(SYS_statx, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME, &status) != 0) {
        return;
    }
    const std::uint64_t born =
        static_cast<std::uint64_t>(status.stx_btime.tv_sec) * 1'000'000'000U + status.stx_btime.tv_nsec;
    // Another of that name, made since.
    if ((status.stx_mask & STATX_BTIME) != 0 && born > ref.slot->d.load(std::memory_order_relaxed) + tick_ns) return;
    ref.slot->b.store(makedev(status.stx_dev_major, status.stx_dev_minor), std::memory_order_relaxed);
    ref.slot->a.store(status.stx_ino, std::memory_order_release);
}

}  // namespace leftover
