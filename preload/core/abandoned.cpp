#include "preload/core/abandoned.h"

#include <libunwind.h>

#include "preload/core/modules.h"
#include "preload/core/sys.h"
#include "preload/core/unwind_lock.h"

namespace leftover {

namespace {

constexpr unsigned most_frames = 512;
constexpr std::uint32_t most_looks = 32;

// Whether the frame of a hook's that `guard` lies in is one of those that we were called from. True also when
// that cannot be told.
__attribute__((noinline)) bool calls_us(std::uintptr_t guard) {
    if (!begin_unwind()) return true;
    unw_context_t context;
    unw_cursor_t cursor;
    unw_word_t ip = 0;
    unw_word_t sp = 0;
    bool result = true;
    const bool begun = unw_getcontext(&context) == 0 && unw_init_local(&cursor, &context) == 0 &&
                       unw_get_reg(&cursor, UNW_REG_SP, &sp) == 0;
    for (unsigned steps = 0; begun && steps < most_frames; ++steps) {
        unw_word_t next = 0;
        if (unw_get_reg(&cursor, UNW_REG_IP, &ip) != 0) break;
        const int got = unw_step(&cursor);
        if (got < 0) break;
        // A handler's stack may be another than the one that it interrupted, so that all are gone through.
        if (got == 0 || unw_get_reg(&cursor, UNW_REG_SP, &next) != 0) {
            result = false;
            break;
        }
        if (sp <= guard && guard < next) {
            result = in_shim(ip);
            if (result) break;
        }
        sp = next;
    }
    end_unwind();
    return result;
}

// While a capture is under way the unwinder is not to be asked about itself; but what called the capture is
// ours, so that the return address of its frame tells, as soon as something else was written there.
bool is_capturing(ThreadState& self) {
    if (++self.looks > most_looks) return false;
    const auto* const frame = reinterpret_cast<const std::uintptr_t*>(self.capturing);
    return sys::readable(frame + 1) && in_shim(frame[1]);
}

}  // namespace

bool is_under_way(std::uintptr_t here) {
    ThreadState& self = thread_state;
    if (self.capturing != 0 && here < self.capturing) {
        if (is_capturing(self)) return true;
        end_unwind();
        self.capturing = 0;
    }
    if (self.guard != 0 && here < self.guard) {
        if (calls_us(self.guard)) return true;
        self.guard = 0;
    }
    return false;
}

}  // namespace leftover
