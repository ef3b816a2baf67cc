// Jumps out of signal handlers, and with that out of hooked calls that these interrupted, and of our own
// work: what guarded them is past. A hook could tell that by itself, but not at once and not for nothing
// when it is called from further down the stack than the one that was left (core/abandoned.h).
#include <setjmp.h>

#include <cstdint>

#include "preload/core/hook.h"
#include "preload/core/unwind_lock.h"
#include "preload/hooks/shell.h"

namespace leftover {

namespace {

// Where the stack pointer is going to be, or 0 where that is not known. glibc keeps it mangled: mixed
// with a secret of the process, which the thread's control block holds, and rotated.
std::uintptr_t target_of([[maybe_unused]] const __jmp_buf_tag* jump) {
#if defined(__x86_64__) && defined(__LP64__)
    constexpr int stack_pointer = 6;
    auto target = static_cast<std::uintptr_t>(jump->__jmpbuf[stack_pointer]);
    __asm__("rorq $17, %0\n\txorq %%fs:0x30, %0" : "+r"(target) : : "cc");
    return target;
#else
    return 0;
#endif
}

// In a handler that jumps within itself the hook that it interrupted goes on later.
void leave_hooks(const __jmp_buf_tag* jump) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    ThreadState& self = thread_state;
    if ((self.guard == 0 && self.capturing == 0 && self.shell_call == nullptr) || shares_parent_memory()) return;
    const std::uintptr_t target = target_of(jump);
    leave_shell_calls(target);
    if (target == 0 || self.guard < target) self.guard = 0;
    if (self.capturing != 0 && (target == 0 || self.capturing < target)) {
        end_unwind();
        self.capturing = 0;
    }
}

}  // namespace

#define JUMP_HOOK(NAME)                                  \
    HOOK(void, NAME, __jmp_buf_tag* jump, int value) {   \
        leave_hooks(jump);                               \
        real_##NAME(jump, value);                        \
    }

JUMP_HOOK(longjmp)
JUMP_HOOK(_longjmp)
JUMP_HOOK(siglongjmp)
JUMP_HOOK(__longjmp_chk)

}  // namespace leftover
