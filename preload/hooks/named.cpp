#include "preload/hooks/named.h"

#include <linux/stat.h>

#include "preload/core/clock.h"
#include "preload/core/sys.h"

namespace leftover {

using record::State;

namespace {

// Of the others the books know each file.
bool may_not_know_file(Kind kind) { return kind == Kind::semaphore || kind == Kind::shared_memory; }

}  // namespace

Removal::Removal(Kind kind, std::string_view name) : key_(key_of_name(kind, name)) {
    count_ = find_made(kind, name, key_, slots_, most_);
    if (may_not_know_file(kind)) began_ns_ = realtime_ns();
}

void Removal::done() const {
    for (std::size_t i = 0; i < count_; ++i) release_slot(slots_[i], key_);
    if (began_ns_ == 0) return;
    thread_state.removed_key = key_;
    thread_state.removed_ns = began_ns_;
}

SlotRef intend_name(Kind kind, std::string_view name) {
    SlotRef slot = claim_slot(kind);
    if (!slot) return slot;
    name_slot(slot, name);
    const std::uint64_t key = key_of_name(kind, name);
    if (key == thread_state.removed_key) slot.slot->c.store(thread_state.removed_ns, std::memory_order_relaxed);
    slot.slot->stack.store(capture_stack(*slot.mapping), std::memory_order_relaxed);
    publish_intent(slot, key);
    return slot;
}

namespace {

void confirm(const SlotRef& slot, const struct stat& status) {
    slot.slot->a.store(status.st_ino, std::memory_order_relaxed);
    slot.slot->b.store(status.st_dev, std::memory_order_relaxed);
    confirm_slot(slot);
}

}  // namespace

void confirm_name(const SlotRef& slot, const char* path) {
    if (!slot) return;
    struct stat status;
    if (sys::stat(path, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        release_slot(slot);  // another process removed it already
        return;
    }
    confirm(slot, status);
}

void confirm_descriptor(const SlotRef& slot, int fd) {
    struct stat status;
    if (!slot) return;
    if (sys::fstat(fd, &status) == 0) {
        confirm(slot, status);
    } else {
        release_slot(slot);
    }
}

void drop_intent(const SlotRef& slot) {
    if (slot) release_slot(slot);
}

bool born_after(int fd, const SlotRef& slot) {
    struct statx status;
    if (!slot || sys::call(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_BTIME, &status) != 0 ||
        (status.stx_mask & STATX_BTIME) == 0) {
        return false;
    }
    // File times come from a coarser clock, which lags by up to a tick.
    constexpr std::uint64_t tick_ns = 10'000'000;
    const std::uint64_t born = static_cast<std::uint64_t>(status.stx_btime.tv_sec) * 1'000'000'000U + status.stx_btime.tv_nsec;
    return born + tick_ns >= slot.slot->created_ns;
}

}  // namespace leftover
