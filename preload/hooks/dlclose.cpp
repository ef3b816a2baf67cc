// A library that goes makes room for another at its addresses: stacks captured from then on are others.
#include <dlfcn.h>

#include "preload/core/modules.h"
#include "preload/core/hook.h"
#include "preload/core/text.h"

namespace leftover {

HOOK(int, dlclose, void* handle) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    const int result = real_dlclose(handle);
    // No process forked from the same one shall come to the same number by other libraries.
    std::uint32_t before = unload_epoch.load(std::memory_order_relaxed);
    const auto pid = static_cast<std::uint64_t>(sys::getpid());
    while (!unload_epoch.compare_exchange_weak(before, static_cast<std::uint32_t>(mix(before + 1, pid)), std::memory_order_acq_rel)) {
    }
    return result;
}

}  // namespace leftover
