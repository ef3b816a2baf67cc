// Reads a str of Python 3 (PEP 393: three widths, and three ways to store them) or of Python 2.
// Any context that `Memory` allows.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "preload/python/layouts.h"
#include "preload/python/memory.h"
#include "preload/python/utf8.h"

namespace leftover::python {

// The addresses of CPython's type objects.
struct Types {
    std::uintptr_t frame = 0;
    std::uintptr_t code = 0;
    std::uintptr_t text = 0;   // str
    std::uintptr_t bytes = 0;  // the same in Python 2
};

template <class Memory>
bool has_type(Memory& memory, std::uintptr_t object, std::uintptr_t type) noexcept {
    std::uintptr_t found = 0;
    return load(memory, object, object_type, found) && found == type;
}

// Code objects may be made with a subclass of str or bytes.
template <class Memory>
bool has_type_or_subtype(Memory& memory, std::uintptr_t object, std::uintptr_t type,
                         std::uint32_t subclass_bit) noexcept {
    std::uintptr_t found = 0;
    if (!load(memory, object, object_type, found)) return false;
    if (found == type) return true;
    std::uintptr_t flags = 0;
    return load(memory, found, type_flags, flags) && (flags >> subclass_bit & 1) != 0;
}

template <class Memory>
bool read_byte_string(Memory& memory, const Layout& layout, std::uintptr_t object, Keep keep,
                      Name& name) noexcept {
    std::intptr_t length = 0;
    if (!load(memory, object, variable_size, length) || length < 0) return false;
    std::array<char, max_name_bytes + 4> bytes;  // more than fits, to find where a character starts
    const auto size = static_cast<std::size_t>(length);
    const std::size_t part = size < bytes.size() ? size : bytes.size();
    const std::uintptr_t from = object + layout.bytes_data + (keep == Keep::end ? size - part : 0);
    if (!memory.read(from, bytes.data(), part)) return false;
    std::size_t skip = 0;
    if (part < size && keep == Keep::end) {
        while (skip < 3 && (static_cast<unsigned char>(bytes[skip]) & 0xc0) == 0x80) ++skip;
    }
    set_name(std::string_view(bytes.data() + skip, part - skip), keep, name);
    return true;
}

template <class Unit, class Memory>
bool read_units(Memory& memory, std::uintptr_t data, std::size_t length, Keep keep,
                Name& name) noexcept {
    return encode_name(length, keep, name, [&](std::size_t i, char32_t& c) {
        Unit unit = 0;
        const bool is_read = load(memory, data, i * sizeof(Unit), unit);
        c = unit;
        return is_read;
    });
}

template <class Memory>
bool read_name(Memory& memory, const Layout& layout, const Types& types, std::uintptr_t object,
               Keep keep, Name& name) noexcept {
    if (types.text == types.bytes) {
        return has_type_or_subtype(memory, object, types.bytes, bytes_subclass_bit) &&
               read_byte_string(memory, layout, object, keep, name);
    }

    std::intptr_t length = 0;
    std::uint32_t state = 0;
    if (!has_type_or_subtype(memory, object, types.text, text_subclass_bit) ||
        !load(memory, object, variable_size, length) || length < 0 ||
        !load(memory, object, text_state, state)) {
        return false;
    }
    const auto size = static_cast<std::size_t>(length);
    const bool is_compact = (state >> text_compact_bit & 1) != 0;
    const bool is_ascii = (state >> text_ascii_bit & 1) != 0;

    if (is_compact && is_ascii) {
        name.length = size < max_name_bytes ? size : max_name_bytes;
        const std::uintptr_t skip = keep == Keep::end ? size - name.length : 0;
        return memory.read(object + layout.ascii_data + skip, name.bytes.data(), name.length);
    }
    std::uintptr_t data = object + layout.compact_data;
    if (!is_compact && !load(memory, object, layout.compact_data, data)) return false;
    switch (state >> text_kind_shift & text_kind_mask) {
        case 1:
            return read_units<std::uint8_t>(memory, data, size, keep, name);
        case 2:
            return read_units<std::uint16_t>(memory, data, size, keep, name);
        case 4:
            return read_units<std::uint32_t>(memory, data, size, keep, name);
        default:  // up to 3.11: a string nobody has made ready, which no code object holds
            return false;
    }
}

}  // namespace leftover::python
