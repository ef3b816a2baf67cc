// Text from other programs: file names, thread names, commands. It may be any bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace leftover {

inline constexpr char32_t replacement_character = 0xfffd;

// The character that begins at `at` (which must lie within the text), and moves `at` behind it.
// Bytes that are not UTF-8 give U+FFFD, one for each maximal part that could have begun a character.
char32_t next_character(std::string_view text, std::size_t& at);

// Appends the character as UTF-8.
void append_utf8(std::string& text, char32_t character);

// Whether the character steers a terminal or a text layout instead of being shown: C0 and C1
// controls, DEL, line and paragraph separators, and the marks that reorder text (bidi controls).
bool is_control(char32_t character);

// The text as it may be shown on a terminal: what is_control is spelled out (\n, \x1b, \u{202e}),
// and what is not UTF-8 is U+FFFD.
std::string printable(std::string_view text);

}  // namespace leftover
