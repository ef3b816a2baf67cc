// Why a program does not go on, as text: first who waits for whom, then the stacks.
#pragma once

#include <iosfwd>
#include <string>

#include "reporter/model/model.h"
#include "reporter/render/format.h"

namespace leftover::render {

// Each session that hangs, with an empty line behind it; nothing when the report has no hang.
void hang_text(const Report& report, const Options& options, std::ostream& out);

}  // namespace leftover::render
