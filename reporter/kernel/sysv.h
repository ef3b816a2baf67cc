// System V objects, from /proc/sysvipc: unlike IPC_STAT it also shows those that may not be read.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "preload/record/kinds.h"
#include "reporter/kernel/roots.h"

namespace leftover::kernel {

struct SysvObject {
    record::Kind kind{};  // sysv_shared_memory, sysv_semaphore or sysv_message_queue
    std::int64_t id = 0;
    std::uint32_t key = 0;
    uid_t uid = 0;          // owner
    uid_t creator_uid = 0;
    int creator_pid = 0;    // shared memory only; 0 when not known in this pid namespace
    // Seconds of CLOCK_REALTIME: creation, or the last IPC_SET, and for semaphores also SETVAL.
    std::int64_t changed = 0;
    std::uint64_t bytes = 0;  // shared memory: its size; queue: what waits in it
    std::uint64_t semaphores = 0;  // in the set
    std::uint64_t attached = 0;    // shared memory: how often, by processes of any pid namespace
    std::uint32_t mode = 0;        // permission bits
    bool used = false;             // attached, operated on, sent to or received from, ever
};

// Parses one of /proc/sysvipc/{shm,sem,msg}; columns are found by the names in the first line. Without
// shared memory that is removed already and goes when the last process lets go of it.
std::vector<SysvObject> parse_sysv(record::Kind kind, std::string_view text);

// All that this IPC namespace holds of one kind.
std::vector<SysvObject> list_sysv(record::Kind kind, const Roots& roots = {});

}  // namespace leftover::kernel
