// Bytes that should be UTF-8 but come from anywhere. Any context.
#pragma once

#include <cstdint>
#include <string_view>

#include "preload/core/law.h"

namespace leftover::hand {

struct Character {
    std::uint32_t code;
    std::string_view bytes;  // its UTF-8 form
};

// Takes one character off the front of a text that is not empty; what is not well-formed (table 3-7
// of the Unicode standard) becomes U+FFFD.
inline Character take_character(std::string_view& text) {
    constexpr Character replacement = {0xfffd, "\xef\xbf\xbd"};
    const auto byte = [&text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned first = byte(0);
    std::size_t size = 1;
    std::uint32_t code = first;
    if (first >= 0x80) {
        unsigned low = 0x80;
        unsigned high = 0xbf;
        if (first >= 0xc2 && first < 0xe0) {
            size = 2;
            code = first & 0x1f;
        } else if (first >= 0xe0 && first < 0xf0) {
            size = 3;
            code = first & 0xf;
            if (first == 0xe0) low = 0xa0;
            if (first == 0xed) high = 0x9f;
        } else if (first >= 0xf0 && first < 0xf5) {
            size = 4;
            code = first & 7;
            if (first == 0xf0) low = 0x90;
            if (first == 0xf4) high = 0x8f;
        } else {
            text.remove_prefix(1);
            return replacement;
        }
        for (std::size_t at = 1; at < size; ++at) {
            if (at == text.size() || byte(at) < low || byte(at) > high) {
                text.remove_prefix(at);
                return replacement;
            }
            code = code << 6 | (byte(at) & 0x3fU);
            low = 0x80;
            high = 0xbf;
        }
    }
    const Character result = {code, text.substr(0, size)};
    text.remove_prefix(size);
    return result;
}

// What steers a terminal or the direction of text, and the byte order mark.
constexpr bool is_control(std::uint32_t c) {
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0x200e || c == 0x200f ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

}  // namespace leftover::hand
