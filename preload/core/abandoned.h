// Whether a hook that says it is under way in this thread still is, and who calls another one meanwhile: libc,
// within the call that is under way, or a signal handler of the program's that interrupted it. A handler may also
// have left it: by longjmp, which is seen (hooks/jump.cpp), or by a C++ exception, setcontext or a switch of stacks
// that somebody wrote himself, which nothing tells of.
#pragma once

#include <cstdint>

#include "preload/core/law.h"
#include "preload/core/thread_state.h"

namespace leftover {

// Whether `here`, a frame of a hook, lies further down the stack than that of a hook or of our own work that is
// under way. One whose frame lies below `here` (stacks grow down) is past.
__attribute__((always_inline)) inline bool is_below_hook(std::uintptr_t here) {
    const ThreadState& self = thread_state;
    return __builtin_expect((self.guard != 0 && here < self.guard) || (self.capturing != 0 && here < self.capturing), 0);
}

// Whether it lies within the call of that hook or within our own work, and is not to be recorded. False for what
// a handler calls that interrupted them: these stay as they are. What has been left is cleared. Asked once in a
// while only, below a hook. Any context but a vforked child.
bool is_under_way(std::uintptr_t here);

__attribute__((always_inline)) inline bool is_within_hook(std::uintptr_t here) {
    return is_below_hook(here) && is_under_way(here);
}

}  // namespace leftover
