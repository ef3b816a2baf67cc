#include "preload/core/hook.h"

#include <dlfcn.h>

extern "C" {
extern const leftover::HookRow __start_leftover_hooks[] __attribute__((visibility("hidden")));
extern const leftover::HookRow __stop_leftover_hooks[] __attribute__((visibility("hidden")));
}

namespace leftover {

void bind_hooks() {
    for (const HookRow* row = __start_leftover_hooks; row < __stop_leftover_hooks; ++row) {
        void* real = row->version != nullptr ? dlvsym(RTLD_NEXT, row->name, row->version) : nullptr;
        if (real == nullptr) real = dlsym(RTLD_NEXT, row->name);
        *row->real = real;
    }
}

}  // namespace leftover
