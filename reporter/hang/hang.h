// Why a program does not go on: every thread of some processes, with its stacks and what it waits for.
#pragma once

#include <vector>

#include "reporter/model/model.h"

namespace leftover::hang {

// Sets report.hang to these processes as they are now, in this order, and adds the modules of their
// frames to report.modules; symbolize() names the functions. Each thread is stopped for about a
// millisecond and goes on as before. Processes that are gone are left out; of those that may not be
// looked into, HangProcess::error says why.
void record(const std::vector<int>& pids, Report& report);

// A process and all that descends from it, parents first.
std::vector<int> family_of(int pid);

}  // namespace leftover::hang
