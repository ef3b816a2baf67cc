#include "preload/core/elf_symbols.h"

#include <climits>

namespace leftover {

namespace {

// Not libc's strcmp, which may be a sanitizer's that is not ready yet when hooks are bound.
bool is_same(const char* one, const char* other) {
    while (*one != 0 && *one == *other) {
        ++one;
        ++other;
    }
    return *one == *other;
}

}  // namespace

ElfSymbols::ElfSymbols(const dl_phdr_info& module) noexcept : base_(module.dlpi_addr) {
    const ElfW(Dyn)* entry = nullptr;
    for (unsigned i = 0; i < module.dlpi_phnum; ++i) {
        const ElfW(Phdr)& segment = module.dlpi_phdr[i];
        if (segment.p_type == PT_DYNAMIC) {
            entry = reinterpret_cast<const ElfW(Dyn)*>(base_ + segment.p_vaddr);
        }
    }
    if (entry != nullptr) read(entry);
}

void ElfSymbols::read(const ElfW(Dyn)* entry) noexcept {
    for (; entry->d_tag != DT_NULL; ++entry) {
        // The loader has turned offsets into addresses, except where the section is read-only.
        ElfW(Addr) address = entry->d_un.d_ptr;
        if (address < base_) address += base_;
        switch (entry->d_tag) {
            case DT_SYMTAB:
                symbols_ = reinterpret_cast<const Symbol*>(address);
                break;
            case DT_STRTAB:
                strings_ = reinterpret_cast<const char*>(address);
                break;
            case DT_GNU_HASH:
                gnu_hash_ = reinterpret_cast<const std::uint32_t*>(address);
                break;
            case DT_HASH:
                sysv_hash_ = reinterpret_cast<const std::uint32_t*>(address);
                break;
            case DT_VERSYM:
                versions_ = reinterpret_cast<const ElfW(Half)*>(address);
                break;
            default:
                break;
        }
    }
}

// Buckets, a count of symbols that are not in the table, a Bloom filter of address-sized words, the
// buckets, and a hash for each symbol whose lowest bit marks the last one of its bucket.
template <class Matches>
const ElfSymbols::Symbol* ElfSymbols::find_gnu(std::uint32_t hash, Matches matches) const noexcept {
    const std::uint32_t bucket_count = gnu_hash_[0];
    const std::uint32_t first = gnu_hash_[1];
    const std::uint32_t filter_size = gnu_hash_[2];
    const std::uint32_t shift = gnu_hash_[3];
    if (bucket_count == 0 || filter_size == 0) return nullptr;

    constexpr std::uint32_t word_bits = sizeof(ElfW(Addr)) * CHAR_BIT;
    const auto* filter = reinterpret_cast<const ElfW(Addr)*>(gnu_hash_ + 4);
    const ElfW(Addr) word = filter[hash / word_bits % filter_size];
    if ((word >> hash % word_bits & word >> (hash >> shift) % word_bits & 1) == 0) return nullptr;

    const auto* buckets = reinterpret_cast<const std::uint32_t*>(filter + filter_size);
    const std::uint32_t* hashes = buckets + bucket_count;
    std::uint32_t i = buckets[hash % bucket_count];
    if (i < first) return nullptr;
    for (;; ++i) {
        const std::uint32_t found = hashes[i - first];
        if ((found | 1) == (hash | 1) && matches(symbols_[i])) return &symbols_[i];
        if ((found & 1) != 0) return nullptr;
    }
}

void* ElfSymbols::find(const char* name) const noexcept {
    if (symbols_ == nullptr || strings_ == nullptr) return nullptr;
    const Symbol* symbol = nullptr;
    if (gnu_hash_ != nullptr) {
        symbol = find_gnu(gnu_hash(name), [&](const Symbol& candidate) { return is_definition(candidate, name); });
    } else if (sysv_hash_ != nullptr) {
        symbol = find_sysv(name);
    }
    return symbol == nullptr ? nullptr : reinterpret_cast<void*>(base_ + symbol->st_value);
}

ElfSymbols::Default ElfSymbols::find_default(const char* name, std::uint32_t hash) const noexcept {
    Default found;
    if (symbols_ == nullptr || strings_ == nullptr) return found;
    if (gnu_hash_ == nullptr) return {nullptr, true};
    const Symbol* symbol = find_gnu(hash, [&](const Symbol& candidate) {
        if (candidate.st_shndx == SHN_UNDEF || !is_same(strings_ + candidate.st_name, name)) return false;
        // The highest bit marks versions that are kept for old programs only; 0 and 1 are no versions.
        const unsigned version = versions_ == nullptr ? 0 : versions_[&candidate - symbols_];
        return (version & 0x8000U) == 0 || (version & 0x7fffU) < 2;
    });
    if (symbol == nullptr) return found;
    const unsigned type = ELF64_ST_TYPE(symbol->st_info);
    if (type != STT_FUNC || symbol->st_value == 0) return {nullptr, true};
    found.address = reinterpret_cast<void*>(base_ + symbol->st_value);
    return found;
}

bool ElfSymbols::is_definition(const Symbol& symbol, const char* name) const noexcept {
    const unsigned type = ELF64_ST_TYPE(symbol.st_info);  // the same in both classes
    return symbol.st_shndx != SHN_UNDEF && (type == STT_FUNC || type == STT_OBJECT) &&
           is_same(strings_ + symbol.st_name, name);
}

const ElfSymbols::Symbol* ElfSymbols::find_sysv(const char* name) const noexcept {
    std::uint32_t hash = 0;
    for (const char* c = name; *c != 0; ++c) {
        hash = (hash << 4) + static_cast<unsigned char>(*c);
        hash = (hash ^ (hash >> 24 & 0xf0)) & 0x0fffffff;
    }
    const std::uint32_t bucket_count = sysv_hash_[0];
    if (bucket_count == 0) return nullptr;
    const std::uint32_t* chain = sysv_hash_ + 2 + bucket_count;
    for (std::uint32_t i = sysv_hash_[2 + hash % bucket_count]; i != 0; i = chain[i]) {
        if (is_definition(symbols_[i], name)) return &symbols_[i];
    }
    return nullptr;
}

}  // namespace leftover
