// The calls behind the hooks, for hooks that do by themselves what libc does within a call of its own:
// open is a cancellation point then as well, and other interposers see what they would see.
#pragma once

#include <sys/types.h>

#include "preload/core/law.h"

namespace leftover {

int open_unseen(const char* path, int flags, mode_t mode);
int mkdir_unseen(const char* path, mode_t mode);

}  // namespace leftover
