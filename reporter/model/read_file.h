#pragma once

#include <cstddef>
#include <string>

namespace leftover {

// The bytes of a file (or pipe, until its end); at most the first `most`. Throws std::runtime_error
// with one line, "PATH: what is wrong", also for a folder.
std::string read_file(const std::string& path, std::size_t most = static_cast<std::size_t>(-1));

}  // namespace leftover
