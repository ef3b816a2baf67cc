// A state folder that is full.
#pragma once

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string_view>

namespace leftover::run {

class NoRoom : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// Throws what tells of this errno, one line for the user: NoRoom when it means that.
[[noreturn]] inline void fail_to(std::string_view what, int error) {
    const auto line = fmt::format("cannot {}: {}", what, std::strerror(error));
    if (error == ENOSPC || error == EDQUOT) throw NoRoom(line);
    throw std::runtime_error(line);
}

}  // namespace leftover::run
