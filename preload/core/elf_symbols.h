// The exported symbols of a loaded module, looked up in its own hash table. Unlike dlsym this takes
// no lock, allocates nothing, leaves dlerror alone and also sees what was loaded with RTLD_LOCAL.
// Any context in which the module cannot be unloaded meanwhile, such as dl_iterate_phdr's callback.
#pragma once

#include <elf.h>
#include <link.h>

#include <cstddef>
#include <cstdint>

namespace leftover {

class ElfSymbols {
public:
    ElfSymbols() noexcept = default;
    explicit ElfSymbols(const dl_phdr_info& module) noexcept;
    explicit ElfSymbols(const link_map& module) noexcept : base_(module.l_addr) { read(module.l_ld); }

    // The address of a function or variable that this module defines; null if it does not.
    void* find(const char* name) const noexcept;

    // As dlsym would find it, the default version of several: `address` is null if this module defines
    // none. `unclear`: only the loader can tell (what an IFUNC resolves to, no GNU hash table).
    struct Default {
        void* address = nullptr;
        bool unclear = false;
    };
    Default find_default(const char* name, std::uint32_t gnu_hash) const noexcept;

    // Of a name, as in DT_GNU_HASH.
    static constexpr std::uint32_t gnu_hash(const char* name) noexcept {
        std::uint32_t hash = 5381;
        for (const char* c = name; *c != 0; ++c) hash = hash * 33 + static_cast<unsigned char>(*c);
        return hash;
    }

private:
    using Symbol = ElfW(Sym);

    void read(const ElfW(Dyn)* entry) noexcept;
    template <class Matches>
    const Symbol* find_gnu(std::uint32_t hash, Matches matches) const noexcept;
    const Symbol* find_sysv(const char* name) const noexcept;
    bool is_definition(const Symbol& symbol, const char* name) const noexcept;

    ElfW(Addr) base_ = 0;
    const Symbol* symbols_ = nullptr;
    const char* strings_ = nullptr;
    const std::uint32_t* gnu_hash_ = nullptr;
    const std::uint32_t* sysv_hash_ = nullptr;
    const ElfW(Half)* versions_ = nullptr;
};

}  // namespace leftover
