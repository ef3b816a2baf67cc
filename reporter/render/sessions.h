// Sessions as `ps` shows them: pure functions of what is known of each.
#pragma once

#include <iosfwd>
#include <vector>

#include "reporter/render/format.h"
#include "reporter/run/session_view.h"

namespace leftover::render {

// A line each under a heading, cut to the width.
void sessions_text(const std::vector<run::SessionView>& sessions, const Options& options,
                   std::ostream& out);

// {"sessions": [...]} on one line.
void sessions_json(const std::vector<run::SessionView>& sessions, std::ostream& out);

}  // namespace leftover::render
