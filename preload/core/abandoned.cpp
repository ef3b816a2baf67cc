#include "preload/core/abandoned.h"

#include <libunwind.h>

#include "preload/core/alternate_stack.h"
#include "preload/core/modules.h"
#include "preload/core/sys.h"
#include "preload/core/unwind_lock.h"

namespace leftover {

namespace {

constexpr unsigned most_frames = 512;
constexpr std::uint32_t most_looks = 32;

enum class Caller { past, it, handler };

// Whether a signal handler returns to this code, as libc and the kernel's vdso have it: a call of sigreturn.
bool returns_from_handler(unw_word_t ip) {
#if defined(__x86_64__)
    constexpr unsigned char code[] = {0x48, 0xc7, 0xc0, 15, 0, 0, 0, 0x0f, 0x05};
#elif defined(__aarch64__)
    constexpr unsigned char code[] = {0x68, 0x11, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4};
#else
    constexpr unsigned char code[] = {0};
#endif
    const auto* const at = reinterpret_cast<const unsigned char*>(ip);
    // Where frames are guessed, as in code of a just-in-time compiler, it may be no address at all.
    return sys::readable(at) && *at == code[0] && sys::readable(at + sizeof code - 1) && __builtin_memcmp(at, code, sizeof code) == 0;
}

// Who called us of those that were called from the frame of a hook's that `guard` lies in; `past` when nobody was.
// It itself also when that cannot be told.
__attribute__((noinline)) Caller caller_within(std::uintptr_t guard) {
    if (is_stack_too_small()) return Caller::it;
    const bool begun = begin_unwind();
    const StepWithin within;
    if (!begun && !within) return Caller::it;
    unw_context_t context;
    unw_cursor_t cursor;
    unw_word_t ip = 0;
    unw_word_t sp = 0;
    Caller result = Caller::it;
    bool by_handler = false;
    const bool known = unw_getcontext(&context) == 0 && unw_init_local(&cursor, &context) == 0 &&
                       unw_get_reg(&cursor, UNW_REG_SP, &sp) == 0;
    for (unsigned steps = 0; known && steps < most_frames; ++steps) {
        unw_word_t next = 0;
        if (unw_get_reg(&cursor, UNW_REG_IP, &ip) != 0) break;
        const int got = unw_step(&cursor);
        if (got < 0) break;
        // A handler's stack may be another than the one that it interrupted, so that all are gone through.
        if (got == 0 || unw_get_reg(&cursor, UNW_REG_SP, &next) != 0) {
            result = Caller::past;
            break;
        }
        if (sp <= guard && guard < next && in_shim(ip)) {
            if (by_handler) result = Caller::handler;
            break;
        }
        by_handler = by_handler || returns_from_handler(ip);
        sp = next;
    }
    if (begun) end_unwind();
    return result;
}

// While the unwinder holds a lock it is not to be asked about itself; but what called the capture is ours, so that
// the return address of its frame tells, as soon as something else was written there.
bool is_capturing(ThreadState& self) {
    if (++self.looks > most_looks) return false;
    const auto* const frame = reinterpret_cast<const std::uintptr_t*>(self.capturing);
    return sys::readable(frame + 1) && in_shim(frame[1]);
}

}  // namespace

bool is_under_way(std::uintptr_t here) {
    ThreadState& self = thread_state;
    if (self.capturing != 0 && here < self.capturing) {
        const Caller caller = self.unwinder_locks == 0 ? caller_within(self.capturing) : Caller::it;
        if (caller == Caller::handler) return false;
        if (caller == Caller::it && is_capturing(self)) return true;
        end_unwind();
        self.capturing = 0;
    }
    if (self.guard != 0 && here < self.guard) {
        const Caller caller = caller_within(self.guard);
        if (caller == Caller::it) return true;
        if (caller == Caller::past) self.guard = 0;
    }
    return false;
}

}  // namespace leftover
