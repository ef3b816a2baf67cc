// The exported symbols of a loaded module, looked up in its own hash table. Unlike dlsym this takes
// no lock, allocates nothing, leaves dlerror alone and also sees what was loaded with RTLD_LOCAL.
// Any context in which the module cannot be unloaded meanwhile, such as dl_iterate_phdr's callback.
#pragma once

#include <elf.h>
#include <link.h>

#include <cstddef>
#include <cstdint>

namespace leftover::python {

class ElfSymbols {
public:
    ElfSymbols() noexcept = default;
    explicit ElfSymbols(const dl_phdr_info& module) noexcept;

    // The address of a function or variable that this module defines; null if it does not.
    void* find(const char* name) const noexcept;

private:
    using Symbol = ElfW(Sym);

    const Symbol* find_gnu(const char* name) const noexcept;
    const Symbol* find_sysv(const char* name) const noexcept;
    bool is_definition(const Symbol& symbol, const char* name) const noexcept;

    ElfW(Addr) base_ = 0;
    const Symbol* symbols_ = nullptr;
    const char* strings_ = nullptr;
    const std::uint32_t* gnu_hash_ = nullptr;
    const std::uint32_t* sysv_hash_ = nullptr;
};

}  // namespace leftover::python
