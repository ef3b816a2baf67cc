#include "preload/hooks/tempfile.h"

#include "preload/core/modules.h"
#include "preload/python/detected.h"

namespace leftover {

bool may_be_tempfile(const void* caller) {
    return options.python &&
           (python::detected() != nullptr || in_python(reinterpret_cast<std::uintptr_t>(caller)));
}

SlotRef intend_by_tempfile(Kind kind, std::string_view name) {
    // A libpython that came by dlopen is noticed in the first stack with a frame of it.
    if (python::detected() == nullptr) {
        if (Mapping* const record = writable_record()) capture_stack(*record);
    }
    const SlotRef slot = intend_name(kind, name);
    if (slot && slot.slot->stack.load(std::memory_order_relaxed) != 0 && innermost_frame_is_tempfile()) return slot;
    drop_intent(slot);
    return {};
}

}  // namespace leftover
