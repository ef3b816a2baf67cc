#include "reporter/render/markup.h"

#include <fmt/format.h>

#include "reporter/model/utf8.h"

namespace leftover::render {

std::string markdown_text(std::string_view text) {
    constexpr std::string_view markup = "&<>\"'*_`[]|\\~@#!:+-=";
    std::string escaped;
    for (const char c : printable(text)) {
        // A '-' or '+' or '=' begins lists and underlines only at the front of a line.
        const bool at_front = escaped.empty();
        const bool special = markup.find(c) != markup.npos &&
                             (at_front || (c != '-' && c != '+' && c != '='));
        if (special) {
            escaped += fmt::format("&#{};", static_cast<int>(c));
        } else {
            escaped += c;
        }
    }
    return escaped;
}

std::string markdown_code(std::string_view text) {
    return text.empty() ? "-" : fmt::format("<code>{}</code>", markdown_text(text));
}

std::string xml_text(std::string_view text) {
    const std::string shown = printable(text);
    std::string valid;
    valid.reserve(shown.size());
    for (std::size_t at = 0; at < shown.size();) {
        char32_t c = next_character(shown, at);
        if (c == 0xfffe || c == 0xffff) c = replacement_character;
        append_utf8(valid, c);
    }
    return valid;
}

}  // namespace leftover::render
