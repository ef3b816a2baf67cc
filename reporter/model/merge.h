// Several reports as one.
#pragma once

#include <vector>

#include "reporter/model/model.h"

namespace leftover {

// One view over all: stacks and modules are numbered anew and equal ones shared, each leak and
// process carries the id of its session. Reports of the same session (by hand every process writes
// its own) become one: its processes and leaks are united, a leak that several of them list counts
// once. Of these the first report's session is kept, completed by the others'. Nothing in, nothing
// out: a report without sessions.
Report merge(std::vector<Report> reports);

}  // namespace leftover
