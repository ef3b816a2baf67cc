#include "preload/hand/json.h"

#include "preload/core/text.h"
#include "preload/hand/date.h"
#include "preload/hand/utf8.h"

namespace leftover::hand {

void Json::separate() {
    if (after_key_) {
        after_key_ = false;
        return;
    }
    if (!first_) put(',');
    if (newline_) {
        put('\n');
    } else if (!first_) {
        put(' ');
    }
    first_ = false;
    newline_ = false;
}

Json& Json::raw(std::string_view text) {
    separate();
    file_.write(text);
    return *this;
}

Json& Json::key(std::string_view name) {
    separate();
    quote(name);
    file_.write(": ");
    after_key_ = true;
    return *this;
}

Json& Json::text(std::string_view value) {
    separate();
    quote(value);
    return *this;
}

Json& Json::number(std::uint64_t value) {
    char buffer[24];
    return raw(Text(buffer, sizeof buffer).number(value).view());
}

Json& Json::hex(std::uint64_t value) {
    char buffer[24];
    Text text(buffer, sizeof buffer);
    (text << "\"0x").number(value, 16) << '"';
    return raw(text.view());
}

Json& Json::seconds(std::uint64_t value) {
    char buffer[40];
    Text text(buffer, sizeof buffer);
    text.number(value / 1'000'000'000) << '.';
    append_padded(text, value / 1000, 6);
    return raw(text.view());
}

Json& Json::time(std::uint64_t value) {
    if (value == 0) return null();
    char buffer[40];
    Text text(buffer, sizeof buffer);
    text << '"';
    append_time(text, value);
    text << '"';
    return raw(text.view());
}

Json& Json::strings(std::string_view list) {
    begin('[');
    while (!list.empty()) {
        const std::size_t end = list.find('\0');
        text(list.substr(0, end));
        if (end == std::string_view::npos) break;
        list.remove_prefix(end + 1);
    }
    return end(']');
}

// Controls are escaped beyond what JSON asks for, those of the C1 block and of text direction too:
// a report shown by cat must not steer the terminal.
void Json::quote(std::string_view text) {
    put('"');
    while (!text.empty()) {
        const Character c = take_character(text);
        if (c.code == '\n') {
            file_.write("\\n");
        } else if (c.code == '\t') {
            file_.write("\\t");
        } else if (is_control(c.code)) {
            char buffer[16];
            Text escape(buffer, sizeof buffer);
            escape << "\\u";
            for (int shift = 12; shift >= 0; shift -= 4) escape.number(c.code >> shift & 15, 16);
            file_.write(escape.view());
        } else {
            if (c.code == '"' || c.code == '\\') put('\\');
            file_.write(c.bytes);
        }
    }
    put('"');
}

}  // namespace leftover::hand
