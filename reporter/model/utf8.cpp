#include "reporter/model/utf8.h"

#include <fmt/format.h>

namespace leftover {

namespace {

struct Lead {
    int more;  // continuation bytes; -1: cannot begin a character
    char32_t bits;
    unsigned char low, high;  // range of the first continuation byte
};

// Table 3-7 of the Unicode standard: well-formed UTF-8 byte sequences.
Lead lead(unsigned char byte) {
    const auto bits = [byte](unsigned mask) { return static_cast<char32_t>(byte & mask); };
    if (byte < 0x80) return {0, byte, 0, 0};
    if (byte < 0xc2) return {-1, 0, 0, 0};
    if (byte < 0xe0) return {1, bits(0x1f), 0x80, 0xbf};
    if (byte == 0xe0) return {2, bits(0xf), 0xa0, 0xbf};
    if (byte == 0xed) return {2, bits(0xf), 0x80, 0x9f};
    if (byte < 0xf0) return {2, bits(0xf), 0x80, 0xbf};
    if (byte == 0xf0) return {3, bits(0x7), 0x90, 0xbf};
    if (byte < 0xf4) return {3, bits(0x7), 0x80, 0xbf};
    if (byte == 0xf4) return {3, bits(0x7), 0x80, 0x8f};
    return {-1, 0, 0, 0};
}

}  // namespace

char32_t next_character(std::string_view text, std::size_t& at) {
    auto [more, character, low, high] = lead(static_cast<unsigned char>(text[at++]));
    if (more < 0) return replacement_character;
    for (; more > 0; --more) {
        if (at == text.size()) return replacement_character;
        const auto byte = static_cast<unsigned char>(text[at]);
        if (byte < low || byte > high) return replacement_character;
        character = character << 6 | (byte & 0x3fU);
        ++at;
        low = 0x80;
        high = 0xbf;
    }
    return character;
}

void append_utf8(std::string& text, char32_t character) {
    const auto put = [&](char32_t byte) { text += static_cast<char>(byte); };
    if (character < 0x80) {
        put(character);
    } else if (character < 0x800) {
        put(0xc0 | character >> 6);
        put(0x80 | (character & 0x3f));
    } else if (character < 0x10000) {
        put(0xe0 | character >> 12);
        put(0x80 | (character >> 6 & 0x3f));
        put(0x80 | (character & 0x3f));
    } else {
        put(0xf0 | character >> 18);
        put(0x80 | (character >> 12 & 0x3f));
        put(0x80 | (character >> 6 & 0x3f));
        put(0x80 | (character & 0x3f));
    }
}

bool is_control(char32_t c) {
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0x200e || c == 0x200f ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

std::string printable(std::string_view text) {
    std::string shown;
    shown.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const char32_t c = next_character(text, at);
        if (!is_control(c)) {
            append_utf8(shown, c);
        } else if (c == '\n') {
            shown += "\\n";
        } else if (c == '\t') {
            shown += "\\t";
        } else if (c == '\r') {
            shown += "\\r";
        } else if (c < 0x100) {
            shown += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
        } else {
            shown += fmt::format("\\u{{{:x}}}", static_cast<unsigned>(c));
        }
    }
    return shown;
}

}  // namespace leftover
