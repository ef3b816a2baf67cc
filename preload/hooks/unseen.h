// The calls behind the hooks, for hooks that do by themselves what libc does within a call of its own:
// cancellation points, and seen by other interposers, as libc's would be.
#pragma once

#include <sys/types.h>

#include "preload/core/law.h"

namespace leftover {

int open_unseen(const char* path, int flags, mode_t mode);

}  // namespace leftover
