// Sessions inside sessions: a `leftover run` below another one records on its own, and what it left
// over is the outer one's to report, too.
#pragma once

#include <string>

#include "reporter/judge/judge.h"
#include "reporter/model/model.h"

namespace leftover::run {

// Adds to `report` what the sessions that ran inside the session of this folder left over.
void add_nested(Report& report, const std::string& folder, const JudgeOptions& options);

// The records of those of which nothing is left over (any more) go.
void remove_finished_nested(const std::string& folder);

}  // namespace leftover::run
