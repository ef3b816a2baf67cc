// A semaphore's identity is its file's inode, which costs a look-up by path: more than all the rest of
// the hook. A semaphore that is unlinked at once, as CPython does under the fork method, needs none. So
// the look-up waits until the thread creates something else or ends; until then the slot says when the
// call was over (`d`), and a file born within the call is the one.
#pragma once

#include "preload/core/slots.h"

namespace leftover {

// The slot's file is /dev/shm/sem.NAME. Confirms the slot. Any context but a vforked child.
void confirm_later(const SlotRef& slot);

// Looks up what this thread put off, if it is still there.
void look_up_pending();

}  // namespace leftover
