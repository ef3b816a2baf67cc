// Signals by name. Any context.
#pragma once

#include <cstddef>
#include <string_view>

#include "preload/core/law.h"

namespace leftover::hand {

inline constexpr int signal_limit = 65;  // one beyond the last

// "SIGTERM" into the buffer of at least 16 bytes; "signal 33" for one without a name.
std::string_view signal_name(int signal, char* buffer, std::size_t size);

// "TERM", "SIGTERM", "RTMIN+2": the signal, or 0.
int signal_by_name(std::string_view name);

// Whether a process may have a handler for it: not KILL, STOP, nor those of the C library.
bool can_be_handled(int signal);

}  // namespace leftover::hand
