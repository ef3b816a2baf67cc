// Unwinding takes locks that a fork would leave held in the child for ever: libunwind's own and the
// loader's (dl_iterate_phdr). So unwinders count themselves as readers, and fork waits, in
// pthread_atfork's prepare handler, until none is left and keeps new ones out until it is over.
// Neither side waits for ever, nor for its own thread: a handler may interrupt an unwind and fork, or
// jump out of it.
#pragma once

#include "preload/core/law.h"

namespace leftover {

// Any context but a vforked child. False: do not unwind now.
bool begin_unwind();
void end_unwind();
// In a forked child, which does not count.
void forget_unwind();

// Around fork, from the atfork handlers. True when no other thread is unwinding: none that was waited for, and
// none that an earlier fork gave up waiting for (a loaded machine, a stopped thread).
bool stop_unwinders();
void let_unwinders_go();

}  // namespace leftover
