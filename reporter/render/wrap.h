#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace leftover::render {

// Every line of the text in at most so many columns (at least 40): broken at blanks where there are
// any, and what follows indented a little more. Our own colours take no columns. The text must be
// printable but for those.
std::string wrap(std::string_view text, std::size_t columns);

}  // namespace leftover::render
