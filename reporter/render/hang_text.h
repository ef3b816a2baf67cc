// Why a program does not go on, as text: first who waits for whom, then the stacks.
#pragma once

#include <iosfwd>
#include <string>

#include "reporter/model/model.h"
#include "reporter/render/format.h"

namespace leftover::render {

// Nothing when the report has no hang. The report must outlive the call.
void hang_text(const Report& report, const Options& options, std::ostream& out);

}  // namespace leftover::render
