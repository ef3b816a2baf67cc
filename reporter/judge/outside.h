// What programs leave that could not be instrumented: the difference of two looks at the machine.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "reporter/kernel/file.h"
#include "reporter/kernel/roots.h"
#include "reporter/kernel/sysv.h"
#include "reporter/model/model.h"

namespace leftover {

// The named objects of this machine that belong to this user; for root everybody's, of which others' are never a
// note.
struct Snapshot {
    std::vector<kernel::NamedFile> shm;     // /dev/shm, semaphores (sem.NAME) included
    std::vector<kernel::NamedFile> mqueue;  // /dev/mqueue, where it is mounted
    std::vector<kernel::SysvObject> sysv;
};

Snapshot snapshot(const kernel::Roots& roots = {});

// Of them only those whose creator the kernel knows: System V shared memory.
Snapshot snapshot_of_memory(const kernel::Roots& roots = {});

// Processes by pid, and when each of them ran (0: not known): a pid may have been given to somebody else since.
struct Lifetime {
    Time started_at = 0;
    Time ended_at = 0;
};
using Creators = std::multimap<int, Lifetime>;

// What `after` has and `before` had not, but for what `claimed` tells of already. It is an error only
// when one of `processes` (live ones, or pids that have ended) has it open or mapped now, or the kernel
// names one of `creators`, in whose lifetime it was made; else a note with details.attribution "window", which nobody may clean up: some
// other program may have made it.
std::vector<Leak> appeared(const Snapshot& before, const Snapshot& after,
                           const std::set<int>& processes, const Creators& creators,
                           const std::vector<Leak>& claimed = {}, const kernel::Roots& roots = {});

}  // namespace leftover
