#include "preload/core/hook.h"

#include <dlfcn.h>
#include <link.h>

extern "C" {
extern const leftover::HookRow __start_leftover_hooks[] __attribute__((visibility("hidden")));
extern const leftover::HookRow __stop_leftover_hooks[] __attribute__((visibility("hidden")));
}

namespace leftover {

namespace {

void ask_loader(const HookRow& row) {
    void* real = row.version != nullptr ? dlvsym(RTLD_NEXT, row.name, row.version) : nullptr;
    *row.real = real != nullptr ? real : dlsym(RTLD_NEXT, row.name);
}

// Null when the program's own namespace does not have us, as under an auditor.
const link_map* next_module() {
    const link_map* module = _r_debug.r_map;
    while (module != nullptr && module->l_ld != _DYNAMIC) module = module->l_next;
    return module != nullptr ? module->l_next : nullptr;
}

}  // namespace

// What dlsym(RTLD_NEXT) finds, in the modules behind ours in the order they were loaded in, which is the
// order of look-up; with the hashes at hand and one pass over the modules it is a third of the work of
// the preloading, at each start of each process. What is not plain is left to dlsym.
void bind_hooks() {
    constexpr std::uint32_t most_rows = 1024;
    const auto count = static_cast<std::uint32_t>(__stop_leftover_hooks - __start_leftover_hooks);
    static_assert(most_rows % 64 == 0);
    std::uint64_t done[most_rows / 64] = {};
    std::uint32_t left = count <= most_rows ? count : 0;
    for (const link_map* module = next_module(); module != nullptr && left != 0; module = module->l_next) {
        const ElfSymbols symbols(*module);
        for (std::uint32_t i = 0; i < count; ++i) {
            const HookRow& row = __start_leftover_hooks[i];
            if (row.version != nullptr || (done[i / 64] >> i % 64 & 1) != 0) continue;
            const ElfSymbols::Default found = symbols.find_default(row.name, row.hash);
            if (found.address == nullptr && !found.unclear) continue;
            if (found.unclear) {
                ask_loader(row);
            } else {
                *row.real = found.address;
            }
            done[i / 64] |= 1ULL << i % 64;
            --left;
        }
    }
    for (std::uint32_t i = 0; left != 0 && i < count; ++i) {
        if (count > most_rows || (done[i / 64] >> i % 64 & 1) == 0) ask_loader(__start_leftover_hooks[i]);
    }
}

}  // namespace leftover
