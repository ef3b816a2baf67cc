// Ends that run no handlers. exit and return from main are seen by what watch_exit() registers.
#include <stdlib.h>
#include <unistd.h>

#include "preload/core/ending.h"
#include "preload/core/hook.h"

namespace leftover {

HOOK(void, _exit, int status) {
    if (ready()) end_process(record::Ending::code, status & 0xff);
    real__exit(status);
    __builtin_unreachable();
}

HOOK(void, _Exit, int status) {
    if (ready()) end_process(record::Ending::code, status & 0xff);
    real__Exit(status);
    __builtin_unreachable();
}

HOOK(void, quick_exit, int status) {
    if (ready()) set_quick_status(status);
    real_quick_exit(status);
    __builtin_unreachable();
}

}  // namespace leftover
