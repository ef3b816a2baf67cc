// Whether a hook that says it is under way in this thread still is. A signal handler may have left it: by
// longjmp, which is seen (hooks/jump.cpp), or by a C++ exception, setcontext or a switch of stacks that
// somebody wrote himself, which nothing tells of.
#pragma once

#include <cstdint>

#include "preload/core/law.h"
#include "preload/core/thread_state.h"

namespace leftover {

// Asked once in a while only: when a hook is called from further down the stack than one that is under way.
// What has been left is cleared. Any context but a vforked child.
bool is_under_way(std::uintptr_t here);

// Whether `here`, a frame of a hook, lies within the call of another hook or within our own work, that a
// handler interrupted. A guard or capture whose frame lies below (stacks grow down) is past.
__attribute__((always_inline)) inline bool is_within_hook(std::uintptr_t here) {
    const ThreadState& self = thread_state;
    const bool below = (self.guard != 0 && here < self.guard) || (self.capturing != 0 && here < self.capturing);
    return __builtin_expect(below, 0) && is_under_way(here);
}

}  // namespace leftover
