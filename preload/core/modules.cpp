#include "preload/core/modules.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include "preload/core/arena.h"
#include "preload/core/process.h"
#include "preload/core/sys.h"
#include "preload/core/text.h"
#include "preload/python/frames.h"

namespace leftover {

constinit std::atomic<std::uint32_t> unload_epoch{0};

namespace {

struct Row {
    std::atomic<std::uint64_t> ready{0};  // 1 + epoch << 32; 0 empty
    const void* map_start = nullptr;
    std::uint32_t serial = 0;    // of the record that it is entered in
    std::uint64_t base = 0;
    std::uint64_t identity = 0;  // over path and build id
    std::uint32_t number = 0;
};
constexpr std::uint32_t max_rows = 1024;
constinit Row rows[max_rows];
constinit std::atomic<std::uint32_t> row_count{0};
constinit std::atomic<std::uintptr_t> shim_begin{0};
constinit std::atomic<std::uintptr_t> shim_end{0};

// The build id from the notes of an object in memory; its size.
std::uint32_t read_build_id(const void* map_start, std::uint64_t base, std::uint8_t (&id)[36]) {
    const auto* elf = static_cast<const ElfW(Ehdr)*>(map_start);
    if (__builtin_memcmp(elf->e_ident, ELFMAG, SELFMAG) != 0 || elf->e_phentsize != sizeof(ElfW(Phdr))) return 0;
    const auto* header = reinterpret_cast<const ElfW(Phdr)*>(static_cast<const char*>(map_start) + elf->e_phoff);
    if (elf->e_phoff + elf->e_phnum * sizeof(ElfW(Phdr)) > 4096) return 0;
    for (unsigned i = 0; i < elf->e_phnum; ++i) {
        if (header[i].p_type != PT_NOTE) continue;
        const char* at = reinterpret_cast<const char*>(base + header[i].p_vaddr);
        std::size_t left = header[i].p_memsz;
        while (left >= sizeof(ElfW(Nhdr))) {
            const auto* note = reinterpret_cast<const ElfW(Nhdr)*>(at);
            const std::size_t name = (note->n_namesz + 3U) & ~3U;
            const std::size_t size = sizeof *note + name + ((note->n_descsz + 3U) & ~3U);
            if (size > left) break;
            if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && note->n_descsz <= 32) {
                copy_bytes(id, at + sizeof *note + name, note->n_descsz);
                return note->n_descsz;
            }
            at += size;
            left -= size;
        }
    }
    return 0;
}

// An absolute path for an object, as far as that can be told now.
record::ItemId intern_path(Mapping& mapping, const char* name) {
    if (name == nullptr || name[0] == 0) {
        know_executable();
        return intern_string(mapping, options.executable);
    }
    char path[1024];
    Text text(path, sizeof path);
    if (name[0] != '/' && __builtin_strchr(name, '/') != nullptr) {
        char cwd[512];
        if (sys::call(SYS_getcwd, cwd, sizeof cwd) > 0) text << cwd << '/';
    }
    text << name;
    return intern_string(mapping, text.view());
}

bool names_libpython(const char* name) {
    if (name == nullptr) return false;
    const char* slash = __builtin_strrchr(name, '/');
    return __builtin_strncmp(slash != nullptr ? slash + 1 : name, "libpython", 9) == 0;
}

std::uint64_t identity_of(const struct dl_find_object& object) {
    std::uint8_t id[36];
    const std::uint32_t size = read_build_id(object.dlfo_map_start, object.dlfo_link_map->l_addr, id);
    const char* name = object.dlfo_link_map->l_name;
    return hash_bytes(id, size, name != nullptr ? hash_bytes(name, length(name)) : 0);
}

bool add_module(Mapping& mapping, const struct dl_find_object& object, std::uint32_t& number) {
    record::Module module = {};
    module.base = object.dlfo_link_map->l_addr;
    module.path = intern_path(mapping, object.dlfo_link_map->l_name);
    module.build_id_size = read_build_id(object.dlfo_map_start, module.base, module.build_id);
    module.number = mapping.header->module_count.fetch_add(1, std::memory_order_relaxed);
    if (module.number >= record::no_module) return false;
    number = module.number;
    // A libpython that came by dlopen shows here first.
    if (names_libpython(object.dlfo_link_map->l_name)) python::detect(object.dlfo_link_map->l_name);
    return intern(mapping, record::ItemType::module, &module, sizeof module) != 0;
}

}  // namespace

record::NativeFrame to_frame(Mapping& mapping, std::uintptr_t address) {
    struct dl_find_object object;
    // Less one: a call that never returns may be the last instruction of its object.
    if (_dl_find_object(reinterpret_cast<void*>(address - 1), &object) != 0) {
        return record::native_frame(record::no_module, address);
    }
    const std::uint64_t epoch = unload_epoch.load(std::memory_order_acquire);
    const std::uint64_t ready = epoch << 32 | 1;
    const std::uint64_t base = object.dlfo_link_map->l_addr;
    const std::uint32_t count = row_count.load(std::memory_order_acquire);
    for (std::uint32_t i = 0; i < count && i < max_rows; ++i) {
        Row& row = rows[i];
        const std::uint64_t known = row.ready.load(std::memory_order_acquire);
        if (known == 0 || row.map_start != object.dlfo_map_start || row.serial != mapping.serial) continue;
        // Something was unloaded since: the same place may hold another object now.
        if (known != ready) {
            if (row.base != base || row.identity != identity_of(object)) continue;
            row.ready.store(ready, std::memory_order_release);
        }
        return record::native_frame(row.number, address - row.base);
    }
    std::uint32_t number = 0;
    if (!add_module(mapping, object, number)) return record::native_frame(record::no_module, address);
    // A full table, or one of dead rows, begins anew; a reader of a row in rewriting sees it not ready.
    std::uint32_t place = row_count.fetch_add(1, std::memory_order_acq_rel);
    if (place >= max_rows) {
        row_count.store(1, std::memory_order_relaxed);
        place = 0;
    }
    Row& row = rows[place];
    row.ready.store(0, std::memory_order_release);
    row.map_start = object.dlfo_map_start;
    row.serial = mapping.serial;
    row.base = base;
    row.identity = identity_of(object);
    row.number = number;
    row.ready.store(ready, std::memory_order_release);
    return record::native_frame(number, address - base);
}

bool in_python(std::uintptr_t address) {
    struct dl_find_object object;
    if (_dl_find_object(reinterpret_cast<void*>(address), &object) != 0) return false;
    const char* name = object.dlfo_link_map->l_name;
    if (name == nullptr || name[0] == 0) {
        know_executable();
        return base_name(options.executable).starts_with("python");
    }
    return names_libpython(name);
}

bool in_shim(std::uintptr_t address) {
    std::uintptr_t begin = shim_begin.load(std::memory_order_relaxed);
    if (begin == 0) {
        struct dl_find_object object;
        if (_dl_find_object(reinterpret_cast<void*>(&in_shim), &object) != 0) return false;
        begin = reinterpret_cast<std::uintptr_t>(object.dlfo_map_start);
        shim_end.store(reinterpret_cast<std::uintptr_t>(object.dlfo_map_end), std::memory_order_relaxed);
        shim_begin.store(begin, std::memory_order_relaxed);
    }
    return address >= begin && address < shim_end.load(std::memory_order_relaxed);
}

}  // namespace leftover
