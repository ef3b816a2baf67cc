#include "preload/core/alternate_stack.h"

#include <signal.h>

#include "preload/core/sys.h"

namespace leftover {

constinit std::atomic<bool> has_alternate_stacks{false};

bool is_alternate_stack_too_small() {
    constexpr std::uintptr_t needed = 7 << 10;
    stack_t now = {};
    if (sys::call(SYS_sigaltstack, 0L, &now) != 0 || (now.ss_flags & SS_ONSTACK) == 0) return false;
    return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) < reinterpret_cast<std::uintptr_t>(now.ss_sp) + needed;
}

}  // namespace leftover
