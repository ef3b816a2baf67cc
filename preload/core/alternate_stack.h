// Handlers on an alternate stack have few kilobytes, some of them just the 8 of SIGSTKSZ, of which the kernel takes up
// to 3 for what it saves: no more room than a handler needs that opens a file or forks. The unwinder takes 6.
#pragma once

#include <atomic>

#include "preload/core/law.h"

namespace leftover {

// Some thread has set up an alternate stack: by sigaltstack, raised by its hook.
extern std::atomic<bool> has_alternate_stacks;

// Whether we run on one that has no room left to unwind. A system call, in programs that have such stacks. Any context.
bool is_alternate_stack_too_small();
inline bool is_stack_too_small() {
    return __builtin_expect(has_alternate_stacks.load(std::memory_order_relaxed), 0) && is_alternate_stack_too_small();
}

}  // namespace leftover
