// What begins anew in every process: one page that the kernel empties in each forked child, however it
// was forked (MADV_WIPEONFORK), so that a child of a raw clone, which runs no handler of anybody's, finds
// it empty as well. That also makes it the place for what is written between two forks: a wiped page is
// not shared, and so never copied on write, neither by the parent nor by the child.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>

#include "preload/core/law.h"
#include "preload/record/format.h"

namespace leftover {

struct Mapping;

struct Identity {
    pid_t pid;
    pid_t ppid;             // the creator
    std::uint64_t ticks;    // the start, once own_start_ticks() was asked; else 0
    bool no_unwind;         // forked while another thread may have been unwinding
    record::SlotId slot;    // in the inherited record: the slot in which the parent wrote us down
};

// Unwinders are counted in shards, or many threads that create at once would fight for one cache line.
inline constexpr std::uint32_t unwind_shards = 16;
struct alignas(64) UnwindShard {
    std::atomic<std::int32_t> readers;
};

// Children that ended and were waited for, oldest first.
inline constexpr std::uint32_t history_size = 64;

// Slots of the inherited record that a process without one of its own uses for descriptors, at most.
inline constexpr std::uint32_t most_lent = 48;

// Records of programs that this process executed before, and whose descriptors it has still: see handed.h.
inline constexpr std::uint32_t most_held = 32;
struct HeldRecord {
    record::Header* header;  // the whole file, mapped
    std::uint64_t size;
    std::uint32_t image;
};

struct alignas(4096) Fresh {
    std::atomic<std::uint32_t> alive;  // 0: a child that has not taken in yet that it is one
    // vforked children (and others sharing our memory) under way; while it is 0 no hook needs to ask who
    // it runs in.
    std::atomic<std::uint32_t> memory_sharers;
    Identity identity;

    Mapping* own;        // this process's record, once opened
    Mapping* inherited;  // the one it writes to until then
    std::atomic<std::uint32_t> opening;
    std::atomic<pid_t> opener;
    std::atomic<std::uint32_t> attempts;

    std::atomic<std::uint32_t> ended;  // the end was written down

    std::atomic<std::uint32_t> forking;
    std::atomic<std::uint32_t> sleepers;
    std::atomic<std::int32_t> lost_readers;  // see unwind_lock.cpp
    std::atomic<std::uint32_t> lost_epoch;   // how often any were given up
    UnwindShard shards[unwind_shards];

    std::atomic<std::uint64_t> history[history_size];  // slot id << 32 | generation
    std::atomic<std::uint32_t> history_next;

    std::atomic<std::uint32_t> names_given;  // by tempnam and its kin, see given_names.h

    // See descriptors.h.
    std::atomic<std::uint32_t> descriptors_noted;    // any at all
    std::atomic<std::uint32_t> descriptors_spilled;  // in slots
    std::atomic<std::uint64_t> descriptors_since;    // the first note; CLOCK_MONOTONIC_COARSE
    // Which slots those of the inherited record are: to look through all of a server's at the end of each of
    // its children would cost more than all that the children do.
    std::atomic<std::uint32_t> lent_numbers[most_lent];  // the descriptor + 1; 0 none
    std::atomic<std::uint64_t> lent_slots[most_lent];    // id << 32 | generation
    std::atomic<record::Descriptor*> descriptors[record::descriptor_chunks];
    // See early_descriptors.h.
    std::atomic<std::uint32_t> early_taken;  // how many entries were given out
    std::atomic<std::uint32_t> early_valid;  // a bit for each that was begun
    std::atomic<std::uint32_t> early_created, early_released;
    std::atomic<std::uint32_t> held_count;
    HeldRecord held[most_held];
};
static_assert(sizeof(Fresh) == 4096);

extern Fresh fresh;

inline Identity& identity = fresh.identity;

}  // namespace leftover
