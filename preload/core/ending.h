// The end of this process, as far as we are told: exit, _exit, quick_exit and their kin.
#pragma once

#include "preload/core/law.h"
#include "preload/record/format.h"

namespace leftover {

// Registers for exit and quick_exit. Once, in initialise(): the earlier, the later we run.
void watch_exit();

// What quick_exit was called with, which its handlers are not told.
void set_quick_status(int status);

// Writes down how the process ends and, by hand, reports. Also in a signal handler; once. Not in a
// vforked child.
void end_process(record::Ending ending, int value);

// The process may be about to end this way within a call that does not come back. Taken back when it
// does.
void expect_end(record::Ending ending, int value);
void take_back_end();

}  // namespace leftover
