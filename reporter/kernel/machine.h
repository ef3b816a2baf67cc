// This machine and its clocks.
#pragma once

#include <cstdint>
#include <string>

#include "reporter/kernel/roots.h"

namespace leftover::kernel {

// The boot id as text (a UUID), empty when not known.
std::string boot_id(const Roots& roots = {});

// Now, nanoseconds of CLOCK_REALTIME.
std::int64_t now();

// When a process with these start ticks (field 22 of its stat) began, nanoseconds of
// CLOCK_REALTIME, exact to one tick (10 ms).
std::int64_t time_of_ticks(std::uint64_t ticks);

struct System {
    std::string host, kernel, machine;
};

// As `uname -n`, `-r` and `-m` print it.
System system();

}  // namespace leftover::kernel
