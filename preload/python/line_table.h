// From an instruction to its line, as CPython's PyCode_Addr2Line does it. The formats are described
// in Objects/lnotab_notes.txt (up to 3.10) and Objects/locations.md (3.11 on) of its sources.
// Any context that `Memory` allows.
#pragma once

#include <array>
#include <climits>
#include <cstddef>
#include <cstdint>

#include "preload/python/layouts.h"
#include "preload/python/memory.h"
#include "preload/python/text.h"

namespace leftover::python {

// A table that claims more is not read: a program of 100,000 lines in one function has less.
inline constexpr std::size_t max_line_table = 1 << 20;

// The bytes of a bytes object, one after the other.
template <class Memory>
class ByteReader {
public:
    ByteReader(Memory& memory, std::uintptr_t begin, std::size_t size) noexcept
        : memory_(memory), next_(begin), left_(size) {}

    bool take(std::uint8_t& byte) noexcept {
        if (at_ == filled_ && !fill()) return false;
        byte = chunk_[at_++];
        return true;
    }

private:
    bool fill() noexcept {
        filled_ = left_ < chunk_.size() ? left_ : chunk_.size();
        at_ = 0;
        if (filled_ == 0 || !memory_.read(next_, chunk_.data(), filled_)) {
            filled_ = left_ = 0;
            return false;
        }
        next_ += filled_;
        left_ -= filled_;
        return true;
    }

    Memory& memory_;
    std::uintptr_t next_;
    std::size_t left_;
    std::size_t at_ = 0;
    std::size_t filled_ = 0;
    std::array<std::uint8_t, 128> chunk_;
};

// In all of these, `line` starts as co_firstlineno and `position` is the instruction's offset in
// bytes. They return 0 where the table knows no line.

template <class Memory>
std::int64_t line_from_increments(ByteReader<Memory>& table, bool is_signed, std::int64_t line,
                                  std::int64_t position) noexcept {
    std::uint8_t bytes = 0;
    std::uint8_t lines = 0;
    for (std::int64_t address = 0; table.take(bytes) && table.take(lines);) {
        address += bytes;
        if (address > position) break;
        line += is_signed ? static_cast<std::int8_t>(lines) : lines;
    }
    return line;
}

template <class Memory>
std::int64_t line_from_ranges(ByteReader<Memory>& table, std::int64_t line,
                              std::int64_t position) noexcept {
    std::uint8_t bytes = 0;
    std::uint8_t delta = 0;
    for (std::int64_t end = 0; table.take(bytes) && table.take(delta);) {
        constexpr std::int8_t no_line = -128;
        const auto lines = static_cast<std::int8_t>(delta);
        end += bytes;
        if (lines != no_line) line += lines;
        if (position < end) return lines == no_line ? 0 : line;
    }
    return 0;
}

// Six bits a byte, the seventh says that another follows; the lowest bit of the whole is the sign.
template <class Memory>
std::int64_t take_signed_varint(ByteReader<Memory>& table) noexcept {
    std::uint64_t value = 0;
    std::uint8_t byte = 0x40;
    for (unsigned shift = 0; (byte & 0x40) != 0 && shift < 36 && table.take(byte); shift += 6) {
        value |= static_cast<std::uint64_t>(byte & 0x3f) << shift;
    }
    const auto magnitude = static_cast<std::int64_t>(value >> 1);
    return (value & 1) != 0 ? -magnitude : magnitude;
}

template <class Memory>
std::int64_t line_from_locations(ByteReader<Memory>& table, std::int64_t line,
                                 std::int64_t position) noexcept {
    constexpr unsigned no_location = 15;
    constexpr unsigned long_form = 14;
    constexpr unsigned no_columns = 13;
    constexpr unsigned one_line_form = 10;  // to 12: a delta of 0 to 2

    std::int64_t end = 0;
    std::uint8_t byte = 0;
    while (table.take(byte)) {
        if ((byte & 0x80) == 0) continue;  // columns of the entry before
        const unsigned code = byte >> 3 & 15;
        end += std::int64_t{2} * ((byte & 7) + 1);
        if (code == long_form || code == no_columns) {
            line += take_signed_varint(table);
        } else if (code >= one_line_form && code < no_columns) {
            line += code - one_line_form;
        }
        if (position < end) return code == no_location ? 0 : line;
    }
    return 0;
}

template <class Memory>
int line_at(Memory& memory, const Layout& layout, const Types& types, std::uintptr_t code,
            std::int64_t position) noexcept {
    std::int32_t first = 0;
    std::uintptr_t object = 0;
    std::intptr_t size = 0;
    if (!load(memory, code, layout.code_firstlineno, first)) return 0;
    if (position < 0) return first;  // not begun
    if (!load(memory, code, layout.code_lines, object) ||
        !has_type_or_subtype(memory, object, types.bytes, bytes_subclass_bit) ||
        !load(memory, object, variable_size, size) || size < 0 ||
        static_cast<std::size_t>(size) > max_line_table) {
        return 0;
    }

    ByteReader<Memory> table(memory, object + layout.bytes_data, static_cast<std::size_t>(size));
    std::int64_t line = 0;
    switch (layout.line_table) {
        case LineTable::lnotab_unsigned:
        case LineTable::lnotab_signed:
            line = line_from_increments(table, layout.line_table == LineTable::lnotab_signed, first,
                                        position);
            break;
        case LineTable::ranges:
            line = line_from_ranges(table, first, position);
            break;
        case LineTable::locations:
            line = line_from_locations(table, first, position);
            break;
    }
    return line > 0 && line <= INT_MAX ? static_cast<int>(line) : 0;
}

}  // namespace leftover::python
