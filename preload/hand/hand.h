// Preloaded by hand, without a launcher: this process reads LEFTOVER_OPTIONS, reports about itself at
// its end and, as the session's first or last process, about all that descends from it.
#pragma once

#include "preload/core/law.h"
#include "preload/record/format.h"

namespace leftover::hand {

// Reads the value of LEFTOVER_OPTIONS (null: not set). False in mode=off. Once, before anything
// records; a malformed option costs one line on standard error.
bool configure(const char* value);

// In the session's first process: makes the session's id and folder, fills in options.session, folder,
// root_pid and root_ticks, and calls set_internal(). False when there is no folder to be had.
bool begin_session();

// At the end of the constructor: handlers for terminating signals and the dump signal.
void start();

void after_fork();

// This process ends: judges and writes the report. Once; also in a signal handler.
void at_end(record::Ending ending, int value);

}  // namespace leftover::hand
