#include "preload/hooks/child.h"

#include <cerrno>

#include "preload/core/children.h"
#include "preload/core/clock.h"
#include "preload/core/ending.h"
#include "preload/core/handed.h"
#include "preload/core/stacks.h"
#include "preload/core/text.h"

namespace leftover {

using record::State;

SlotRef intend_child() {
    thread_state.child_slot = 0;
    settle();
    if (Mapping* mapping = opened_record()) make_room_for_child(*mapping);
    SlotRef slot = claim_slot(Kind::process);
    if (!slot) return slot;
    slot.slot->b.store(boot_ticks(), std::memory_order_relaxed);
    slot.slot->stack.store(capture_stack(*slot.mapping), std::memory_order_relaxed);
    slot.slot->flags.store(record::instrumented, std::memory_order_relaxed);
    publish_slot(slot, State::intent);
    // The child looks for it in the record that it inherits; one that we inherited ourselves stays that.
    thread_state.child_slot = slot.id;
    return slot;
}

void child_created(const SlotRef& slot, pid_t pid, record::SlotId interrupted) {
    thread_state.child_slot = interrupted;
    if (!slot) return;
    if (pid < 0) {
        release_slot(slot);
        return;
    }
    slot.slot->c.store(boot_ticks(), std::memory_order_relaxed);
    slot.slot->a.store(static_cast<std::uint64_t>(pid), std::memory_order_release);
    index_slot_by_number(slot);
    confirm_slot(slot);
}

void child_ended(pid_t pid, int status) {
    const SlotRef slot = find_slot(Kind::process, static_cast<std::uint64_t>(pid));
    if (!slot) return;
    const std::uint32_t reason = slot.slot->value.load(std::memory_order_relaxed);
    slot.slot->value.store(record::with_wait_status(reason, status), std::memory_order_relaxed);
    slot.slot->d.store(realtime_ns(), std::memory_order_relaxed);
    slot.slot->flags.fetch_or(record::fetched, std::memory_order_relaxed);
    retire_slot(slot);
}

ExecNote::ExecNote(const char* path, bool instrumented, unsigned reason) {
    if (!recording.load(std::memory_order_relaxed)) return;
    const bool vforked = shares_parent_memory();
    if (!vforked && is_new_child()) adopt_fork();
    // A vforked child runs in its creator's memory, where the slot lies in the record now open.
    Mapping* mapping = vforked ? opened_record() : fresh.inherited;
    const record::SlotId id = vforked ? thread_state.child_slot : identity.slot;
    if (mapping != nullptr && *mapping && id != 0) slot_ = slot_at(*mapping, id);
    if (slot_) {
        record::Slot& slot = *slot_.slot;
        const auto pid = static_cast<std::uint64_t>(sys::getpid());
        const std::uint64_t known = slot.a.load(std::memory_order_relaxed);
        if (known != 0 && known != pid) {  // long ended, and the slot is another's
            slot_ = {};
        } else {
            std::string_view name(path);
            if (name.size() > record::inline_name_size) name.remove_prefix(name.size() - record::inline_name_size);
            copy_bytes(slot.name, name.data(), name.size());
            slot.name_size = static_cast<std::uint16_t>(name.size());
            flags_before_ = slot.flags.load(std::memory_order_relaxed);
            if (instrumented) {
                slot.flags.fetch_or(record::execed | record::instrumented, std::memory_order_relaxed);
            } else {
                slot.value.store(reason, std::memory_order_relaxed);
                slot.flags.store(static_cast<std::uint8_t>((flags_before_ | record::execed) & ~record::instrumented),
                                 std::memory_order_relaxed);
            }
            if (known == 0) slot.a.store(pid, std::memory_order_release);
        }
    }
    if (vforked) return;
    Text held(held_, sizeof held_);
    hand_on_descriptors(instrumented, held);
    hands_on_ = true;
    if (fresh.own != nullptr) {
        own_image_ = true;
        expect_end(record::Ending::exec, 0);
    }
}

void ExecNote::take_back() {
    if (own_image_) take_back_end();
    if (hands_on_) take_back_handed();
    if (!slot_) return;
    slot_.slot->flags.store(flags_before_, std::memory_order_relaxed);
    slot_.slot->name_size = 0;
}

}  // namespace leftover
