// What a process keeps open that others may be waiting for. Any context.
#pragma once

#include <string_view>

#include "preload/core/law.h"
#include "preload/hand/pool.h"

namespace leftover::hand {

// `stdout` and `stderr`, when it can write to what is this process's own now (nobody but the program
// knows what these were at its start), and listening sockets, `tcp:127.0.0.1:80`, `tcp:[::1]:80`,
// `unix:/path`; each with a NUL behind it. Devices and locks are the tool's to look for. False when
// the process may not be looked into.
bool read_holdings(int pid, Pool& pool, std::string_view& holds);

}  // namespace leftover::hand
