// Programs' texts as data within other languages: nothing in them is markup there.
#pragma once

#include <string>
#include <string_view>

namespace leftover::render {

// As text of a Markdown document, also within its tables and HTML blocks: what could be markup of
// either is written as a numeric character reference.
std::string markdown_text(std::string_view text);

// The same in <code>; "-" for nothing.
std::string markdown_code(std::string_view text);

// As XML 1.0 can hold it: printable, and none of the characters that it forbids. The writer of the
// document escapes what is markup.
std::string xml_text(std::string_view text);

}  // namespace leftover::render
