// Sandboxes: a program may forbid itself system calls (seccomp), and then one of ours, which it does not
// know of, could be what ends it. So each filter is asked first, by running it, what it would do to
// ours. Where it would do more than refuse them, the shim does nothing any more in this process and in
// all that it forks or executes.
#pragma once

#include <cstdint>

#include "preload/core/law.h"

struct sock_fprog;

namespace leftover {

// Whether this filter lets every system call of ours through, or refuses those with an error that we can
// do without. False also for what cannot be read or understood. Any context.
bool tolerates_us(const sock_fprog* filter);

// Ends all activity of the shim in this process, before the filter is there: handlers set by hand are
// taken back. Any context but a vforked child; errno kept.
void confine();
// The filter was not installed after all.
void take_back_confinement();

}  // namespace leftover
