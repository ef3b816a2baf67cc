// Numbers of a record, which may be anything, as numbers to calculate with.
#pragma once

#include <cstdint>
#include <limits>

#include "reporter/model/model.h"

namespace leftover::records {

// Nanoseconds; times that no clock shows are unknown, so that sums of times never overflow.
constexpr Time to_time(std::uint64_t nanoseconds) {
    constexpr auto limit = static_cast<std::uint64_t>(std::numeric_limits<Time>::max()) / 2;
    return nanoseconds <= limit ? static_cast<Time>(nanoseconds) : 0;
}

// A process or thread; 0 for what can be none.
constexpr int to_pid(std::uint64_t number) {
    return number <= static_cast<std::uint64_t>(std::numeric_limits<int>::max())
               ? static_cast<int>(number)
               : 0;
}

}  // namespace leftover::records
