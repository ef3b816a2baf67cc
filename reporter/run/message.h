// One line of leftover's own on standard error.
#pragma once

#include <cstdio>
#include <string_view>

#include "reporter/model/utf8.h"

namespace leftover::run {

inline void say(std::string_view line) {
    std::fprintf(stderr, "leftover: %s\n", printable(line).c_str());
}

}  // namespace leftover::run
