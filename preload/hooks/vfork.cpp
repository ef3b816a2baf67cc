// What vfork_*.S calls, in the parent only.
#include <cerrno>

#include "preload/core/process_limit.h"
#include "preload/hooks/child.h"

namespace leftover {

extern "C" __attribute__((visibility("hidden"))) int leftover_before_vfork();
extern "C" __attribute__((visibility("hidden"))) pid_t leftover_after_vfork(long result);

// Not 0: there is to be no child; errno is set.
int leftover_before_vfork() {
    const bool keeps_books = ready();
    if (!take_place_for_vfork()) return 1;
    if (!keeps_books) return 0;
    thread_state.interrupted_slot = thread_state.child_slot;
    thread_state.child_slot = 0;
    if (Entry entry(child_kinds); entry) intend_child();
    fresh.memory_sharers.fetch_add(1, std::memory_order_seq_cst);
    return 0;
}

// `result` is the system call's. A vforked child that calls vfork comes here as well, and owns nothing.
pid_t leftover_after_vfork(long result) {
    settle_place_of_vfork(sys::failed(result) ? -1 : static_cast<pid_t>(result));
    if (!shares_parent_memory()) {
        fresh.memory_sharers.fetch_sub(1, std::memory_order_seq_cst);
        SlotRef slot;
        if (Mapping* mapping = opened_record()) slot = slot_at(*mapping, thread_state.child_slot);
        child_created(slot, static_cast<pid_t>(result), thread_state.interrupted_slot);
    }
    if (!sys::failed(result)) return static_cast<pid_t>(result);
    errno = static_cast<int>(-result);
    return -1;
}

}  // namespace leftover
