// What the script of the HTML report works on.
#pragma once

#include <iosfwd>

#include "reporter/model/model.h"

namespace leftover::render {

// One JSON object: sessions, summary, processes, findings (with at most so many of their leaks as a
// person would look at), stacks and frames, each frame once, with the source lines around those of the
// user's own. Its text may stand in a script element: it holds no `<`.
void write_page_data(const Report& report, std::ostream& out);

}  // namespace leftover::render
