#include "reporter/render/wrap.h"

#include <algorithm>

namespace leftover::render {

namespace {

constexpr std::size_t narrowest = 40;
constexpr std::size_t deepest_indent = 16;

// The bytes of what stands at `at`: a colour (no columns) or a character (one).
std::size_t length_at(std::string_view line, std::size_t at, bool& is_colour) {
    is_colour = line[at] == '\x1b';
    std::size_t end = at + 1;
    if (is_colour) {
        while (end < line.size() && line[end - 1] != 'm') ++end;
    } else {
        while (end < line.size() && (static_cast<unsigned char>(line[end]) & 0xc0) == 0x80) ++end;
    }
    return end - at;
}

void wrap_line(std::string_view line, std::size_t columns, std::string& out) {
    const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
    const std::string next_indent(std::min(indent + 4, deepest_indent), ' ');
    std::size_t used = 0;
    std::size_t begin = 0;        // of what is not yet written
    std::size_t blank = 0;        // where the line may be broken; 0: nowhere yet
    std::size_t after_blank = 0;  // columns used behind it
    for (std::size_t at = 0; at < line.size();) {
        bool is_colour = false;
        const std::size_t length = length_at(line, at, is_colour);
        if (!is_colour) {
            if (used == columns) {
                if (line[at] == ' ') {
                    blank = at;
                    after_blank = used + 1;
                }
                const bool at_blank = blank > begin;
                const std::size_t end = at_blank ? blank : at;
                out += line.substr(begin, end - begin);
                out += '\n';
                out += next_indent;
                begin = at_blank ? blank + 1 : at;
                if (at_blank && blank == at) {
                    used = next_indent.size();
                    blank = 0;
                    at += length;
                    continue;
                }
                used = next_indent.size() + (at_blank ? used - after_blank : 0);
                blank = 0;
            }
            ++used;
            if (line[at] == ' ' && at > indent) {
                blank = at;
                after_blank = used;
            }
        }
        at += length;
    }
    out += line.substr(begin);
}

}  // namespace

std::string wrap(std::string_view text, std::size_t columns) {
    columns = std::max(columns, narrowest);
    std::string out;
    out.reserve(text.size() + text.size() / 8);
    while (!text.empty()) {
        const auto end = text.find('\n');
        wrap_line(text.substr(0, end), columns, out);
        if (end == text.npos) break;
        out += '\n';
        text.remove_prefix(end + 1);
    }
    return out;
}

}  // namespace leftover::render
