// The books of what has a name in a file system, shared by the calls that make and remove such.
#pragma once

#include <sys/stat.h>

#include <string_view>

#include "preload/core/hook.h"
#include "preload/core/slots.h"
#include "preload/core/stacks.h"
#include "preload/core/text.h"

namespace leftover {

// The removal of a name, from before the real call on. What this process made under that name before is gone
// then; what another thread of it is just making is not.
class Removal {
public:
    Removal(Kind kind, std::string_view name);
    void done() const;  // it was removed

private:
    static constexpr std::size_t most_ = 4;
    SlotRef slots_[most_];
    std::size_t count_ = 0;
    std::uint64_t key_;
    std::uint64_t began_ns_ = 0;
};

// Before the call: a slot as an intent, findable by its name, with the stack.
SlotRef intend_name(Kind kind, std::string_view name);
// After it: this call created it. The identity comes from the path, or from a descriptor of it.
void confirm_name(const SlotRef& slot, const char* path);
void confirm_descriptor(const SlotRef& slot, int fd);
// It did not, or the name is gone again. errno kept.
void drop_intent(const SlotRef& slot);

// Whether the file of this descriptor came to be after the slot was written.
bool born_after(int fd, const SlotRef& slot);

}  // namespace leftover
