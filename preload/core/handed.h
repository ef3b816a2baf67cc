// Descriptors that survive an exec. Whoever creates one is blamed, whichever program of the process has it
// open last: it stays in the books of the program that opened it, marked as handed on. The programs
// that follow keep those books: they are told which of the process's records hold such ("held=0.3" in the
// environment), map these, and take out what they close. A kill loses nothing.
//
// A process that executes nothing, and one that hands on nothing, does nothing of all this.
#pragma once

#include "preload/core/fresh.h"
#include "preload/core/law.h"
#include "preload/core/text.h"

namespace leftover {

// Before an exec, by the process itself: marks what the new program is going to have, if it is one that keeps
// the books, and writes the numbers of their records to `held`: nothing when there are none. Any context.
void hand_on_descriptors(bool instrumented, Text& held);
// The exec failed.
void take_back_handed();

// In the new program, once.
void take_over_handed();

// Those from `first` to `last` are closed, or something else by now. Any context but a vforked child's.
void forget_handed(unsigned first, unsigned last);
inline void forget_handed(unsigned fd) {
    if (__builtin_expect(fresh.held_count.load(std::memory_order_acquire) != 0, 0)) forget_handed(fd, fd);
}
// Near the end: what is not open any more, by calls that nobody saw, is forgotten.
void look_at_handed();
// Whether there are any.
bool has_handed();

// Calls `visit(number)` for each older record of this process that still has some.
template <class Visit>
void each_held_record(Visit visit) {
    const std::uint32_t count = fresh.held_count.load(std::memory_order_acquire);
    for (std::uint32_t i = 0; i < count; ++i) visit(fresh.held[i].image);
}

}  // namespace leftover
