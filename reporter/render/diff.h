// What is new, gone and unchanged, in the formats of `leftover diff`.
#pragma once

#include <iosfwd>

#include "reporter/findings/diff.h"

namespace leftover::render {

void diff_text(const findings::Diff& diff, std::ostream& out);
void diff_json(const findings::Diff& diff, std::ostream& out);  // schema leftover.diff/1
void diff_markdown(const findings::Diff& diff, std::ostream& out);

}  // namespace leftover::render
