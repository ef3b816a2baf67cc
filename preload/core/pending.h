// The identity of a semaphore or of shared memory is its file's inode, which costs a system call: more than
// all the rest of the hook. What is unlinked at once, as CPython does with semaphores under the fork method,
// needs none. So the look-up waits until the thread creates something else or the process ends; the slot says
// when the call was over (`d`): a file born within the call is the one. Of several calls that made files of that
// name it is the one that began last, for it found the others' gone; and what was over before somebody began to
// remove the name, with success, is gone as well (`c`, see Removal in hooks/named.h). What a look by path finds
// may be another's newer file: it never counts for more than that.
#pragma once

#include "preload/core/slots.h"

namespace leftover {

// The slot's file is /dev/shm/sem.NAME or /dev/shm/NAME. Confirms the slot. Any context but a vforked child.
void confirm_later(const SlotRef& slot);

// The same of shared memory that is open as `fd`. A thread that keeps what it creates is better off with a look at
// once: its look-up by path would come anyway, and costs twice as much.
void confirm_later(const SlotRef& slot, int fd);

// Looks up what this thread put off, if it is still there.
void look_up_pending();

}  // namespace leftover
