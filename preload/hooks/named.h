// The books of what has a name in a file system, shared by the calls that make and remove such.
#pragma once

#include <sys/stat.h>

#include <string_view>

#include "preload/core/hook.h"
#include "preload/core/slots.h"
#include "preload/core/stacks.h"
#include "preload/core/text.h"

namespace leftover {

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
