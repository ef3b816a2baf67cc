// What libunwind calls to find the module of an address. libc's function holds the loader's lock for as long as its
// caller's callback takes: a program's thread that waits in there for what another thread has would wait for ever
// when that one is stopped by the same lock, in a call of ours. And it may be somebody else's: sanitizers put
// themselves in its place. Only libunwind, inside this library, is linked to this.
#include "preload/core/unwinder_modules.h"

#include <dlfcn.h>
#include <elf.h>

#include <cstdint>

#include "preload/core/hook.h"

namespace leftover {

namespace {

using Visit = int (*)(dl_phdr_info*, std::size_t, void*);

REAL(int, dl_iterate_phdr, Visit visit, void* data);

// The program headers of a module, where they are mapped with its beginning, as linkers have it.
bool find_headers(const struct dl_find_object& object, dl_phdr_info& module) {
    const auto* const begin = static_cast<const char*>(object.dlfo_map_start);
    const auto* const elf = reinterpret_cast<const ElfW(Ehdr)*>(begin);
    constexpr std::size_t first_page = 4096;
    if (__builtin_memcmp(elf->e_ident, ELFMAG, SELFMAG) != 0 || elf->e_phentsize != sizeof(ElfW(Phdr)) ||
        elf->e_phoff > first_page || elf->e_phnum > (first_page - elf->e_phoff) / sizeof(ElfW(Phdr))) {
        return false;
    }
    module.dlpi_addr = object.dlfo_link_map->l_addr;
    module.dlpi_name = object.dlfo_link_map->l_name;
    module.dlpi_phdr = reinterpret_cast<const ElfW(Phdr)*>(begin + elf->e_phoff);
    module.dlpi_phnum = elf->e_phnum;
    return true;
}

}  // namespace

int each_module(Visit visit, void* data) { return real_dl_iterate_phdr(visit, data); }

extern "C" int unwinder_find_module(Visit visit, void* data) __asm__("dl_iterate_phdr")
    __attribute__((visibility("hidden"), used));

extern "C" int unwinder_find_module(Visit visit, void* data) {
    // What its callback is given begins with the address that it looks for (dwarf_find_proc_info).
    void* const address = *static_cast<void**>(data);
    struct dl_find_object object;
    if (_dl_find_object(address, &object) != 0) return 0;
    dl_phdr_info module = {};
    if (!find_headers(object, module)) return each_module(visit, data);
    return visit(&module, sizeof module, data);
}

}  // namespace leftover
