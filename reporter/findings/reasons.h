// Why a leak is suppressed.
#pragma once

#include <string>

#include "reporter/findings/findings.h"
#include "reporter/model/model.h"

namespace leftover::findings {

// Keeps the reason in the report. The leak need not have its fingerprint yet.
void keep_reason(Report& report, const Leak& leak, const std::string& reason);

// The first that is known of its leaks; empty: none.
std::string reason_of(const Report& report, const Finding& finding);

}  // namespace leftover::findings
