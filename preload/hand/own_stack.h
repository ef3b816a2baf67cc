// A stack of our own for judging and reporting: the program may end on a thread with little room,
// or in a handler on an alternate stack of a few kilobytes.
#pragma once

#include "preload/core/law.h"

namespace leftover::hand {

// Runs `function(argument)` on it. By one thread at a time, not within itself. Any context but a
// vforked child.
void run_on_own_stack(void (*function)(void*), void* argument);

}  // namespace leftover::hand
