// What is to be judged and reported at this process's end, and at a dump. On the stack of our own;
// in its caller's turn.
#pragma once

#include "preload/core/law.h"
#include "preload/hand/report.h"

namespace leftover::hand {

void report_end(const End& end);
void report_running();

}  // namespace leftover::hand
