// POSIX shared memory, and whatever else was made directly in /dev/shm to be shared.
#include "preload/hand/judge.h"
#include "preload/hand/named.h"

namespace leftover::hand {

void judge_shared_memory(const Case& about) {
    for (const NamedLeak* leak : find_named(about, Kind::shared_memory, "/dev/shm/")) {
        add_named(about, Kind::shared_memory, *leak);
    }
}

}  // namespace leftover::hand
