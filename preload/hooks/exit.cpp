// Ends that run no handlers. exit and return from main are seen by what watch_exit() registers.
#include <stdlib.h>
#include <unistd.h>

#include "preload/core/ending.h"
#include "preload/core/hook.h"

namespace leftover {

namespace {

// Not ready(): a forked child that only ends needs nothing of its own.
void end(int status) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    if (!shares_parent_memory() && !is_uncounted_sharer()) end_process(record::Ending::code, status & 0xff);
}

}  // namespace

HOOK(void, _exit, int status) {
    end(status);
    real__exit(status);
    __builtin_unreachable();
}

HOOK(void, _Exit, int status) {
    end(status);
    real__Exit(status);
    __builtin_unreachable();
}

HOOK_VERSION(void, quick_exit, "GLIBC_2.24", int status) {
    if (ready()) set_quick_status(status);
    real_quick_exit(status);
    __builtin_unreachable();
}

// Which runs the destructors of the thread's own objects.
#if defined(__x86_64__)
#define OLDEST_QUICK_EXIT "GLIBC_2.10"
#else
#define OLDEST_QUICK_EXIT "GLIBC_2.17"
#endif
HOOK_OLD(void, quick_exit, old_quick_exit, OLDEST_QUICK_EXIT, int status) {
    if (ready()) set_quick_status(status);
    real_old_quick_exit(status);
    __builtin_unreachable();
}

}  // namespace leftover
