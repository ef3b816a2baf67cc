// Helpers such as CPython's resource tracker end when the last writer of their pipe does. A program
// that waits for them at its own end would wait in vain, as long as it has that pipe open itself.
//
// So it lets go a moment earlier of what it is about to lose: the write ends of pipes that those it
// waits for read from. In their place comes /dev/null, not a gap: other threads may still write. A
// pipe for which the C library still holds output stays.
#pragma once

#include "preload/core/law.h"
#include "preload/hand/pool.h"

namespace leftover::hand {

class SharedPipes {
public:
    explicit SharedPipes(Pool& pool) : pool_(pool) {}

    // A process that we wait for.
    void add_reader(int pid);
    // At the process's end only.
    void let_go() const;

private:
    Pool& pool_;
    Table pipes_;  // that one of them reads from
};

}  // namespace leftover::hand
