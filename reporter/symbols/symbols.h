// Names for addresses: function, file and line of native frames, by DWARF and symbol tables.
#pragma once

#include "reporter/model/model.h"
#include "reporter/symbols/options.h"

namespace leftover {

// Fills in function, file and line of every native frame, and adds the frames that were inlined
// into it, innermost first; the hook's own frame (and any other that already has a function) stays
// as it is. Names the start routines of threads in details.start_routine. A module whose file is not
// the one that ran (another build id) is left without names, and a remark says so; one whose file is
// gone is left without names silently, its frames are module and offset.
// Debug information is looked for where debuggers do: in the module, beside it, under
// /usr/lib/debug, and, only if the user set DEBUGINFOD_URLS, on those servers.
// What took long to find is kept in the options' cache.
// Throws nothing but std::bad_alloc. Doing it twice changes nothing.
void symbolize(Report& report, const SymbolOptions& options = {});

}  // namespace leftover
