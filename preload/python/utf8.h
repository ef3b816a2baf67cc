// A name as the sink gets it: UTF-8, short enough for a record, never cut inside a character.
// Any context.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace leftover::python {

inline constexpr std::size_t max_name_bytes = 255;

enum class Keep { start, end };  // which part of a name that is too long

struct Name {
    std::array<char, max_name_bytes> bytes;
    std::size_t length = 0;

    void set(std::string_view text) noexcept {
        length = text.size() < bytes.size() ? text.size() : bytes.size();
        std::memcpy(bytes.data(), text.data(), length);
    }
};

// What is no character (a surrogate, a number beyond Unicode) becomes U+FFFD. Returns the number of
// bytes.
inline std::size_t encode_utf8(char32_t c, std::array<char, 4>& out) noexcept {
    if ((c >= 0xd800 && c < 0xe000) || c > 0x10ffff) c = 0xfffd;
    if (c < 0x80) {
        out[0] = static_cast<char>(c);
        return 1;
    }
    const std::size_t size = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (std::size_t i = size - 1; i > 0; --i, c >>= 6)
        out[i] = static_cast<char>(0x80 | (c & 0x3f));
    constexpr unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    out[0] = static_cast<char>(lead[size] | c);
    return size;
}

// `get(i, c)` yields character i of `length`, false when it cannot be read; then so is the result.
template <class Get>
bool encode_name(std::size_t length, Keep keep, Name& name, Get get) noexcept {
    std::array<char, 4> utf8;
    char32_t c = 0;
    std::size_t used = 0;
    for (std::size_t i = 0; i < length; ++i) {
        if (!get(keep == Keep::start ? i : length - 1 - i, c)) return false;
        const std::size_t size = encode_utf8(c, utf8);
        if (size > max_name_bytes - used) break;
        used += size;
        char* to = name.bytes.data() + (keep == Keep::start ? used - size : max_name_bytes - used);
        std::memcpy(to, utf8.data(), size);
    }
    if (keep == Keep::end) {
        std::memmove(name.bytes.data(), name.bytes.data() + max_name_bytes - used, used);
    }
    name.length = used;
    return true;
}

// The length of the character at the start of `text` and its value; U+FFFD, and one byte, for what
// is not UTF-8 (overlong forms and surrogates included). `text` is not empty.
inline std::size_t decode_utf8(std::string_view text, char32_t& c) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    c = byte(0);
    if (c < 0x80) return 1;
    const std::size_t size = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    if (c >= 0xc2 && c < 0xf5 && size <= text.size()) {
        char32_t value = c & (0xffU >> (size + 1));
        std::size_t i = 1;
        for (; i < size && (byte(i) & 0xc0) == 0x80; ++i) value = value << 6 | (byte(i) & 0x3fU);
        constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        const bool is_surrogate = value >= 0xd800 && value < 0xe000;
        if (i == size && value >= least[size] && value <= 0x10ffff && !is_surrogate) {
            c = value;
            return size;
        }
    }
    c = 0xfffd;
    return 1;
}

// From a byte string, or from more of its kept end than fits.
inline void set_name(std::string_view text, Keep keep, Name& name) noexcept {
    unsigned char all = 0;
    for (const char c : text) all = static_cast<unsigned char>(all | static_cast<unsigned char>(c));
    if (all < 0x80) {
        if (keep == Keep::end && text.size() > max_name_bytes) {
            text.remove_prefix(text.size() - max_name_bytes);
        }
        return name.set(text);
    }
    std::array<char32_t, max_name_bytes + 4> characters;
    if (text.size() > characters.size()) {
        text = keep == Keep::start ? text.substr(0, characters.size())
                                   : text.substr(text.size() - characters.size());
    }
    std::size_t count = 0;
    while (!text.empty()) text.remove_prefix(decode_utf8(text, characters[count++]));
    encode_name(count, keep, name, [&](std::size_t i, char32_t& c) {
        c = characters[i];
        return true;
    });
}

}  // namespace leftover::python
