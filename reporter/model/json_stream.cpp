#include "reporter/model/json_stream.h"

#include <cmath>
#include <iterator>

#include "reporter/model/utf8.h"

namespace leftover {

void JsonStream::separate() {
    if (after_key_) {
        after_key_ = false;
        return;
    }
    if (!first_) buffer_ += ',';
    if (newline_) {
        buffer_ += '\n';
    } else if (!first_) {
        buffer_ += ' ';
    }
    first_ = false;
    newline_ = false;
}

JsonStream& JsonStream::value(double number) {
    if (!std::isfinite(number)) return null();
    separate();
    fmt::format_to(std::back_inserter(buffer_), "{}", number);
    return *this;
}

JsonStream& JsonStream::hex(std::uint64_t number) {
    separate();
    fmt::format_to(std::back_inserter(buffer_), "\"{:#x}\"", number);
    return *this;
}

// Controls are escaped beyond what JSON asks for, those of the C1 block and of text direction too:
// a report shown by cat must not steer the terminal.
void JsonStream::quote(std::string_view text) {
    buffer_ += '"';
    for (std::size_t at = 0; at < text.size();) {
        const auto byte = static_cast<unsigned char>(text[at]);
        if (byte >= 0x20 && byte < 0x7f) {
            if (byte == '"' || byte == '\\') buffer_ += '\\';
            buffer_ += text[at++];
            continue;
        }
        const char32_t c = next_character(text, at);
        if (c == '\n') {
            buffer_ += "\\n";
        } else if (c == '\t') {
            buffer_ += "\\t";
        } else if (is_control(c)) {
            fmt::format_to(std::back_inserter(buffer_), "\\u{:04x}", static_cast<unsigned>(c));
        } else {
            append_utf8(buffer_, c);
        }
    }
    buffer_ += '"';
}

void JsonStream::flush() {
    out_.write(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
    buffer_.clear();
}

}  // namespace leftover
