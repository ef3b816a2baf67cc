// The lines of a file of /proc, and their words. Any context.
#pragma once

#include <cstddef>
#include <string_view>

#include "preload/core/law.h"
#include "preload/core/sys.h"
#include "preload/core/text.h"

namespace leftover::hand {

// Calls `visit(line)` for each, without its newline; what is longer than a page is left out. False
// when there is no such file.
template <class Visit>
bool each_line(const char* path, Visit visit) {
    char buffer[4096];
    const long fd = sys::open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (sys::failed(fd)) return false;
    std::size_t used = 0;
    bool skipping = false;
    for (;;) {
        const long got = sys::read(fd, buffer + used, sizeof buffer - used);
        if (got <= 0) break;
        used += static_cast<std::size_t>(got);
        std::string_view rest(buffer, used);
        for (std::size_t end; (end = rest.find('\n')) != std::string_view::npos;) {
            if (!skipping) visit(std::string_view(rest.data(), end));
            skipping = false;
            rest.remove_prefix(end + 1);
        }
        if (rest.size() == sizeof buffer) {
            skipping = true;
            rest = {};
        }
        __builtin_memmove(buffer, rest.data(), rest.size());
        used = rest.size();
    }
    sys::close(fd);
    return true;
}

// Takes the next word off; empty when there is none.
inline std::string_view take_word(std::string_view& line) {
    while (line.starts_with(' ') || line.starts_with('\t')) line.remove_prefix(1);
    std::size_t size = 0;
    while (size < line.size() && line[size] != ' ' && line[size] != '\t') ++size;
    const std::string_view word(line.data(), size);
    line.remove_prefix(size);
    return word;
}

}  // namespace leftover::hand
