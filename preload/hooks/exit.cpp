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
    if (!shares_parent_memory()) end_process(record::Ending::code, status & 0xff);
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

HOOK(void, quick_exit, int status) {
    if (ready()) set_quick_status(status);
    real_quick_exit(status);
    __builtin_unreachable();
}

}  // namespace leftover
