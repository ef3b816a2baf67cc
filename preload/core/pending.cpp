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

constexpr std::uint32_t serial_mask = 0xff;

void look_up(std::uint64_t word);

// To be looked at when the thread creates something else. In one step, for a handler may do the same meanwhile.
void remember(const SlotRef& slot) {
    const std::uint64_t word = static_cast<std::uint64_t>(slot.id) << 32 |
                               static_cast<std::uint64_t>(slot.generation & 0xffffff) << 8 |
                               (slot.mapping->serial & serial_mask);
    const std::uint64_t of_handler = __atomic_exchange_n(&thread_state.pending, word, __ATOMIC_RELAXED);
    if (of_handler != 0) look_up(of_handler);
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
    const std::uint64_t word = thread_state.pending;
    if (word == 0) return;
    thread_state.pending = 0;
    look_up(word);
}

namespace {

void look_up(std::uint64_t word) {
    ThreadState& self = thread_state;
    Mapping* const mapping = opened_record();
    if (mapping == nullptr || (mapping->serial & serial_mask) != (word & serial_mask)) return;
    SlotRef ref = slot_at(*mapping, static_cast<record::SlotId>(word >> 32));
    if (!ref) return;
    ref.generation = static_cast<std::uint32_t>(word >> 8) & 0xffffff;
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
    // Another thread may have removed the name meanwhile, and a third one have the slot for what it makes.
    if (!is_live(ref)) return;
    ref.slot->b.store(makedev(status.stx_dev_major, status.stx_dev_minor), std::memory_order_relaxed);
    std::uint64_t inode = 0;
    if (!ref.slot->a.compare_exchange_strong(inode, status.stx_ino, std::memory_order_acq_rel)) return;
    inode = status.stx_ino;
    if (!is_live(ref)) ref.slot->a.compare_exchange_strong(inode, 0, std::memory_order_acq_rel);
}

}  // namespace

}  // namespace leftover
