// Preloaded by hand, without a launcher: this process reads LEFTOVER_OPTIONS, reports about itself
// at its end and, as the session's first or last process, about all that descends from it.
//
//   options, notice, session   the start: what was asked for, and where records go
//   signals                    the ends that nobody else tells us of, and the dump signal
//   evidence, census, judge    the end: what is written down, who lives, what is left over
//   report, json               the report
//
// Judging and reporting is done by one thread at a time (`Turn` in hand.cpp), on a stack of its own
// (own_stack.h), with all signals blocked (signal_mask.h), in memory from the kernel that is given
// back at the end (pool.h) and a few static buffers.
#pragma once

#include "preload/core/law.h"
#include "preload/record/format.h"

namespace leftover::hand {

// Reads the value of LEFTOVER_OPTIONS (null: not set). False in mode=off. Once, before anything
// records; a malformed option costs one line on standard error.
bool configure(const char* value);

// In the session's first process: makes the session's id and folder, fills in options.session,
// folder, root_pid and root_ticks, and calls set_internal(). False when there is no folder to be
// had.
bool begin_session();

// At the end of the constructor: handlers for terminating signals and the dump signal.
void start();

// In a forked child, from adopt_fork().
void after_fork();

// This process ends: judges and writes the report. Once; also in a signal handler, not in a vforked
// child. May take as long as the grace window when descendants live.
void at_end(record::Ending ending, int value);

// For a thread that would end the process while another one is in at_end(): waits until that is
// done and, a little longer, for the process to end. Returns at once when nobody is. Any context
// but a vforked child.
void await_end();

// The dump signal came: writes a report and goes on. Only in its handler.
void dump();

}  // namespace leftover::hand
