// One line of leftover's own on standard error.
#pragma once

#include <cstdio>
#include <string_view>

namespace leftover::run {

inline void say(std::string_view line) {
    std::fprintf(stderr, "leftover: %.*s\n", static_cast<int>(line.size()), line.data());
}

}  // namespace leftover::run
