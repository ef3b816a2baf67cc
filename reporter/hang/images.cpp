#include "reporter/hang/images.h"

#include <elf.h>
#include <fmt/format.h>
#include <link.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "reporter/kernel/text.h"

namespace leftover::hang {
namespace {

using Header = ElfW(Ehdr);
using Segment = ElfW(Phdr);
using ElfSymbol = ElfW(Sym);

constexpr unsigned most_segments = 64;
constexpr std::size_t most_functions = 1 << 18;

// 7f0123450000-7f0123470000 r-xp 00020000 fe:00 12345   /usr/lib/x.so
std::optional<Mapping> parse_mapping(std::string_view line) {
    const auto words = kernel::split_words(line);
    if (words.size() < 5) return std::nullopt;
    const auto dash = words[0].find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    const auto begin = kernel::parse_number<std::uint64_t>(words[0].substr(0, dash), 16);
    const auto end = kernel::parse_number<std::uint64_t>(words[0].substr(dash + 1), 16);
    const auto offset = kernel::parse_number<std::uint64_t>(words[2], 16);
    if (!begin || !end || !offset) return std::nullopt;
    Mapping mapping{*begin, *end, *offset, {}, words[1].size() > 2 && words[1][2] == 'x',
                    std::string(words[3]), kernel::parse_number<std::uint64_t>(words[4]).value_or(0)};
    if (words.size() > 5) {
        // The path is all the rest, blanks included.
        mapping.path = line.substr(static_cast<std::size_t>(words[5].data() - line.data()));
    }
    return mapping;
}

std::string without_deleted(std::string path) {
    constexpr std::string_view mark = " (deleted)";
    if (path.ends_with(mark)) path.resize(path.size() - mark.size());
    return path;
}

template <class T>
bool load_at(Memory& memory, std::uint64_t address, T& value) {
    return memory.read(address, &value, sizeof value);
}

std::uint32_t gnu_hash(std::string_view name) {
    std::uint32_t hash = 5381;
    for (const char c : name) hash = hash * 33 + static_cast<unsigned char>(c);
    return hash;
}

bool is_definition(const ElfSymbol& symbol) {
    const unsigned type = ELF64_ST_TYPE(symbol.st_info);
    return symbol.st_shndx != SHN_UNDEF && (type == STT_FUNC || type == STT_OBJECT);
}

}  // namespace

Image::Image(Memory& memory, std::string path, std::uint64_t begin)
    : path_(std::move(path)), begin_(begin), end_(begin) {
    read_headers(memory);
}

void Image::read_headers(Memory& memory) {
    Header header{};
    if (!load_at(memory, begin_, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_ident[EI_CLASS] != (sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32) ||
        header.e_phentsize != sizeof(Segment)) {
        return;
    }
    std::vector<Segment> segments(std::min<unsigned>(header.e_phnum, most_segments));
    if (!memory.read(begin_ + header.e_phoff, segments.data(), segments.size() * sizeof(Segment))) return;

    bool is_first = true;
    for (const Segment& segment : segments) {
        if (segment.p_type != PT_LOAD) continue;
        if (is_first) base_ = begin_ + segment.p_offset - segment.p_vaddr;
        is_first = false;
        end_ = std::max(end_, base_ + segment.p_vaddr + segment.p_memsz);
    }
    if (is_first) return;
    is_elf_ = true;
    for (const Segment& segment : segments) {
        const std::uint64_t address = base_ + segment.p_vaddr;
        if (segment.p_type == PT_GNU_EH_FRAME) eh_frame_header_ = address;
        if (segment.p_type == PT_NOTE && build_id_.empty()) read_notes(memory, address, segment.p_memsz);
        if (segment.p_type == PT_DYNAMIC) {
            dynamic_ = address;
            dynamic_size_ = segment.p_memsz;
        }
    }
}

void Image::read_notes(Memory& memory, std::uint64_t begin, std::uint64_t size) {
    const std::uint64_t end = begin + std::min<std::uint64_t>(size, 4096);
    while (begin + sizeof(ElfW(Nhdr)) <= end) {
        ElfW(Nhdr) note{};
        if (!load_at(memory, begin, note) || note.n_namesz > 64 || note.n_descsz > 1024) return;
        const std::uint64_t name = begin + sizeof note;
        const std::uint64_t content = name + (note.n_namesz + 3) / 4 * 4;
        std::array<char, 4> owner{};
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && note.n_descsz <= 64 &&
            load_at(memory, name, owner) && std::memcmp(owner.data(), "GNU", 4) == 0) {
            std::array<unsigned char, 64> bytes{};
            if (!memory.read(content, bytes.data(), note.n_descsz)) return;
            for (std::size_t i = 0; i < note.n_descsz; ++i) build_id_ += fmt::format("{:02x}", bytes[i]);
            return;
        }
        begin = content + (note.n_descsz + 3) / 4 * 4;
    }
}

void Image::read_dynamic(Memory& memory) {
    if (dynamic_read_) return;
    dynamic_read_ = true;
    for (std::uint64_t at = dynamic_; at + sizeof(ElfW(Dyn)) <= dynamic_ + dynamic_size_; at += sizeof(ElfW(Dyn))) {
        ElfW(Dyn) entry{};
        if (!load_at(memory, at, entry) || entry.d_tag == DT_NULL) return;
        // The loader has turned offsets into addresses, except where the section is read-only.
        std::uint64_t address = entry.d_un.d_ptr;
        if (address < base_) address += base_;
        if (entry.d_tag == DT_SYMTAB) symbols_ = address;
        if (entry.d_tag == DT_STRTAB) strings_ = address;
        if (entry.d_tag == DT_GNU_HASH) hash_ = address;
    }
}

std::string Image::text_at(Memory& memory, std::uint64_t address, std::size_t most) const {
    std::string text;
    char c = 0;
    while (text.size() < most && load_at(memory, address + text.size(), c) && c != 0) text += c;
    return text;
}

// See preload/python/elf_symbols.cpp for the table.
std::optional<Symbol> Image::find(Memory& memory, std::string_view name) {
    read_dynamic(memory);
    std::array<std::uint32_t, 4> head{};
    if (symbols_ == 0 || strings_ == 0 || hash_ == 0 || !load_at(memory, hash_, head)) return std::nullopt;
    const auto [buckets, first, filter_size, shift] = head;
    if (buckets == 0 || filter_size == 0) return std::nullopt;

    const std::uint32_t hash = gnu_hash(name);
    constexpr std::uint32_t word_bits = sizeof(ElfW(Addr)) * 8;
    const std::uint64_t filter = hash_ + sizeof head;
    ElfW(Addr) word = 0;
    if (!load_at(memory, filter + hash / word_bits % filter_size * sizeof word, word) ||
        (word >> hash % word_bits & word >> (hash >> shift) % word_bits & 1) == 0) {
        return std::nullopt;
    }
    const std::uint64_t bucket = filter + filter_size * sizeof word;
    const std::uint64_t hashes = bucket + buckets * sizeof hash;
    std::uint32_t i = 0;
    if (!load_at(memory, bucket + hash % buckets * sizeof i, i) || i < first) return std::nullopt;
    for (std::uint32_t found = 0; (found & 1) == 0; ++i) {
        ElfSymbol symbol{};
        if (!load_at(memory, hashes + (i - first) * sizeof found, found)) return std::nullopt;
        if ((found | 1) != (hash | 1)) continue;
        if (load_at(memory, symbols_ + i * sizeof symbol, symbol) && is_definition(symbol) &&
            text_at(memory, strings_ + symbol.st_name, name.size() + 1) == name) {
            return Symbol{base_ + symbol.st_value, symbol.st_size};
        }
    }
    return std::nullopt;
}

void Image::list_functions(Memory& memory) {
    if (functions_listed_) return;
    functions_listed_ = true;
    read_dynamic(memory);
    std::array<std::uint32_t, 4> head{};
    if (symbols_ == 0 || strings_ == 0 || hash_ == 0 || !load_at(memory, hash_, head)) return;
    const auto [buckets, first, filter_size, shift] = head;
    const std::uint64_t bucket = hash_ + sizeof head + filter_size * sizeof(ElfW(Addr));
    const std::uint64_t hashes = bucket + buckets * sizeof(std::uint32_t);
    // The last symbol is at the end of the highest bucket's chain.
    std::uint32_t last = 0;
    for (std::uint32_t i = 0; i < std::min<std::uint32_t>(buckets, most_functions); ++i) {
        std::uint32_t start = 0;
        if (load_at(memory, bucket + i * sizeof start, start)) last = std::max(last, start);
    }
    for (std::uint32_t mark = 0; last >= first && (mark & 1) == 0; ++last) {
        if (!load_at(memory, hashes + (last - first) * sizeof mark, mark)) break;
    }
    for (std::uint32_t i = first; i < last && functions_.size() < most_functions; ++i) {
        ElfSymbol symbol{};
        if (!load_at(memory, symbols_ + i * sizeof symbol, symbol)) break;
        if (symbol.st_shndx == SHN_UNDEF || ELF64_ST_TYPE(symbol.st_info) != STT_FUNC) continue;
        const std::uint64_t begin = base_ + symbol.st_value;
        functions_.push_back({begin, begin + symbol.st_size, symbol.st_name});
    }
    // Of several names for one function, the shortest ending wins below: __pthread_x before pthread_x.
    std::sort(functions_.begin(), functions_.end(),
              [](const Function& one, const Function& other) { return one.begin < other.begin; });
}

std::string Image::function_at(Memory& memory, std::uint64_t address) {
    list_functions(memory);
    auto at = std::upper_bound(functions_.begin(), functions_.end(), address,
                               [](std::uint64_t value, const Function& one) { return value < one.begin; });
    std::string best;
    while (at != functions_.begin()) {
        --at;
        if (address >= at->end) break;
        std::string name = text_at(memory, strings_ + at->name, 256);
        const bool is_plain = !name.starts_with('_');
        if (best.empty() || (is_plain && best.starts_with('_'))) best = std::move(name);
    }
    return best;
}

Images::Images(pid_t pid) : memory_(pid) {
    const std::string text = kernel::read_text(fmt::format("/proc/{}/maps", pid));
    kernel::each_line(text, [&](std::string_view line) {
        if (auto mapping = parse_mapping(line)) mappings_.push_back(std::move(*mapping));
    });
}

const std::vector<std::unique_ptr<Image>>& Images::all() {
    if (listed_) return images_;
    listed_ = true;
    for (std::size_t i = 0; i < mappings_.size(); ++i) {
        const Mapping& mapping = mappings_[i];
        const bool may_begin = mapping.offset == 0 && (mapping.path.starts_with('/') || mapping.path == "[vdso]");
        if (!may_begin) continue;
        // Data files are mapped too: only what has code counts.
        bool has_code = false;
        for (std::size_t j = i; j < mappings_.size() && mappings_[j].path == mapping.path; ++j) {
            has_code = has_code || mappings_[j].is_executable;
        }
        if (!has_code) continue;
        auto image = std::make_unique<Image>(memory_, without_deleted(mapping.path), mapping.begin);
        if (image->is_elf()) images_.push_back(std::move(image));
    }
    return images_;
}

Image* Images::at(std::uint64_t address) {
    const auto& images = all();
    auto at = std::upper_bound(images.begin(), images.end(), address,
                               [](std::uint64_t value, const auto& image) { return value < image->begin(); });
    if (at == images.begin()) return nullptr;
    --at;
    return address < (*at)->end() ? at->get() : nullptr;
}

bool Images::maps(const Mapping& file) const {
    return std::any_of(mappings_.begin(), mappings_.end(), [&](const Mapping& mapping) {
        return mapping.inode == file.inode && mapping.device == file.device;
    });
}

const Mapping* Images::mapping_at(std::uint64_t address) const {
    auto at = std::upper_bound(mappings_.begin(), mappings_.end(), address,
                               [](std::uint64_t value, const Mapping& mapping) { return value < mapping.begin; });
    if (at == mappings_.begin()) return nullptr;
    --at;
    return address < at->end ? &*at : nullptr;
}

}  // namespace leftover::hang
