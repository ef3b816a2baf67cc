// While a process that ends waits for its descendants, its other threads would go on with what they
// do, which can be to start more of these: a pool that replaces its workers. Without us they would
// be gone by now, so they are made to wait as well.
//
// They are sent a signal that has our handler and that nobody uses. A thread that blocks it goes
// on.
#pragma once

#include <signal.h>

#include "preload/core/law.h"

namespace leftover::hand {

// Only the thread that ends the process, in its turn.
void freeze_others();
// Lets them go on, for what there is to do between the report and the end. Any context.
void thaw_others();

// In our handler: whether the signal is such a request. Then it has been followed.
bool follow_freeze(int signal, const siginfo_t* info);

}  // namespace leftover::hand
