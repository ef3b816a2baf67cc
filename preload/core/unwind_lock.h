// Unwinding takes locks that a fork would leave held in the child for ever: libunwind's own and, for modules that do
// not begin with their ELF header, the loader's (unwinder_modules.cpp). So unwinders count themselves as readers, and
// fork waits, in pthread_atfork's prepare handler, until none is left and keeps new ones out until it is over.
// Neither side waits for ever, nor for its own thread: a handler may interrupt an unwind and fork, or jump out of it.
#pragma once

#include <cstdint>

#include "preload/core/law.h"

namespace leftover {

// Any context but a vforked child. False: do not unwind now.
bool begin_unwind();
void end_unwind();
// Blocks all signals until end_unwind(), by one system call for all the locks that the unwinder takes meanwhile: it
// blocks them itself for each, a dozen times in a stack that was not seen before. False outside of the two.
bool block_signals_until_end();
bool are_signals_blocked();
// In a forked child, whose readers are counted anew. One that was forked by a handler in the middle of an unwinding goes
// on with it when the handler returns; where that is not safe, it has to forget it.
void adopt_unwind();
void forget_unwind();

// For a handler that interrupted an unwinding of its own thread, where begin_unwind() is false: whether, as long as
// this lives, unw_step may be used. It keeps nothing for the thread, as unw_backtrace does, and is not interrupted
// while it holds a lock.
class StepWithin {
  public:
    StepWithin();
    ~StepWithin();
    StepWithin(const StepWithin&) = delete;
    StepWithin& operator=(const StepWithin&) = delete;
    explicit operator bool() const { return held_ != 0; }

  private:
    std::uint32_t held_ = 0;
};

// Around fork, from the atfork handlers. True when the child may unwind: nobody holds a lock of the unwinder's. No other
// thread is unwinding, none that was waited for, and none that an earlier fork gave up waiting for (a loaded machine, a
// stopped thread); this one is not, or a handler interrupted it where it may step within.
bool stop_unwinders();
void let_unwinders_go();

}  // namespace leftover
