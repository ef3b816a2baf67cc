// What has become of the children that this process wrote down, by asking the kernel without taking
// anything from the program: a wait with WNOWAIT leaves them to be waited for.
#pragma once

#include "preload/core/mapping.h"

namespace leftover {

// Marks in their slots the children that ended and were never waited for. At the end of this process,
// any context but a vforked child; a system call for each child not waited for. errno kept.
void note_zombies();

// Where no slot is free: takes back those of children that are gone without anybody having waited for
// them, as where SIGCHLD is ignored, or a server that forks for each request would write a slot for
// each for ever. Adds room where that gains little. Contexts as above.
void make_room_for_child(Mapping& mapping);

}  // namespace leftover
