// What the shim keeps for each thread: a few bytes of initial-exec TLS, which are there before main,
// need no allocation and may be used in signal handlers. A vforked child shares them with its parent
// and must not write them.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "preload/record/format.h"

namespace leftover {

struct ThreadState {
    std::uintptr_t guard = 0;        // stack address of the hook whose real call is under way; 0 none
    std::uintptr_t capturing = 0;    // stack address of the capture under way; 0 none
    std::uint32_t looks = 0;         // how often we were asked whether that capture goes on
    std::uint32_t unwind_shard = 0;  // 1 + the reader count this thread holds in the unwind lock; 0 none. See there
    std::uint32_t unwind_epoch = 0;  // of that count
    std::uint64_t blocked_before = 0;  // signals, where the unwinder has blocked the others
    pid_t tid = 0;                   // valid in the process `tid_owner`
    pid_t tid_owner = 0;
    std::uint32_t name_epoch = 0;    // `name` is valid while this is the process's
    char name[16] = {};
    std::uint32_t unwinder_locks = 0;  // of libunwind's own, held or waited for
    std::uint8_t forking = 0;        // how often it holds the unwind lock for writing: a handler may fork within fork
    bool sound_locks = false;        // while forking: nobody else is unwinding
    std::uint64_t pending = 0;       // see pending.h: slot id << 32 | generation << 8 | some of the record's serial
    bool keeps_what_it_creates = false;  // the last one that was pending was still there
    std::uint64_t removed_key = 0;   // of the name that this thread removed last; see Removal in named.h
    std::uint64_t removed_ns = 0;
    void* shell_call = nullptr;      // the innermost call of system under way, see hooks/shell.cpp
    record::SlotId child_slot = 0;   // the process slot of the child being created
    record::SlotId interrupted_slot = 0;  // the same, of the creation that a handler interrupted in which vfork is called
};

extern thread_local ThreadState thread_state;

}  // namespace leftover
