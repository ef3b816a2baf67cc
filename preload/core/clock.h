// Times, through the vDSO: libc's clock_gettime neither locks nor sets errno for these clocks.
// Any context.
#pragma once

#include <time.h>

#include <cstdint>

#include "law.h"

namespace leftover {

inline std::uint64_t clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

inline std::uint64_t realtime_ns() { return clock_ns(CLOCK_REALTIME); }

// Now in the unit of field 22 of /proc/PID/stat: USER_HZ, which is 100 on every Linux of ours, since
// boot, suspended time included.
inline std::uint64_t boot_ticks() { return clock_ns(CLOCK_BOOTTIME) / 10'000'000U; }

}  // namespace leftover
