// Calls of system that are left by a jump.
#pragma once

#include <cstdint>

#include "preload/core/law.h"

namespace leftover {

// The stack pointer of this thread is going to be `target` (0: not known): the calls of system below that are over.
// Any context but a vforked child.
void leave_shell_calls(std::uintptr_t target);

}  // namespace leftover
