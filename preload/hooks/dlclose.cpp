// A library that goes makes room for another at its addresses: stacks captured from then on are others.
#include <dlfcn.h>

#include "preload/core/modules.h"
#include "preload/core/hook.h"

namespace leftover {

HOOK(int, dlclose, void* handle) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    const int result = real_dlclose(handle);
    unload_epoch.fetch_add(1, std::memory_order_acq_rel);
    return result;
}

}  // namespace leftover
