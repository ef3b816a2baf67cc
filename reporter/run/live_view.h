// A view on the terminal that is shown anew every second.
#pragma once

#include <functional>
#include <iosfwd>

#include "reporter/render/format.h"

namespace leftover::run {

// Writes what is to be shown, in that style, a newline at the end of each line.
using Show = std::function<void(std::ostream& out, const render::Options& style)>;

// On a terminal: fills the screen, follows its size, and leaves it as it was at INT, TERM or HUP. On
// anything else: one after the other, until such a signal or until nobody reads any more. Returns false,
// with one line on standard error, when standard output cannot be written to.
bool watch(const Show& show);

}  // namespace leftover::run
