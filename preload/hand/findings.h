// What is left over, as it will stand in the report. Lives in the evidence's pool.
#pragma once

#include <cstdint>
#include <string_view>

#include "preload/core/law.h"
#include "preload/hand/cleanup.h"
#include "preload/hand/record.h"
#include "preload/record/kinds.h"

namespace leftover::hand {

using record::Severity;

struct Leak {
    Kind kind;
    Severity severity;
    std::string_view name;
    int pid, tid;  // the creator; 0: not known
    std::string_view thread_name;
    std::uint64_t created_ns;
    const Record* record;  // of the stack; null: there is none
    record::ItemId stack;

    // Details; which there are, the kind tells.
    std::string_view path;  // named objects; empty: none of these three
    std::uint64_t inode, bytes;
    int process;  // 0: none of these
    std::string_view command;
    char state;  // of the process
    std::uint64_t resident_bytes;
    bool holds_known;
    std::string_view holds;  // each with its NUL
    std::uint64_t id, key;   // System V objects, and `bytes` of shared memory
    int fd;         // descriptor
    bool finished;  // thread
    std::uint64_t start_routine;
    record::NativeFrame start_frame;

    // Identity, for cleaning up: of a process, a file and a System V object (seconds of CLOCK_REALTIME).
    std::uint64_t start_ticks, device, changed;
    Status status;
    std::string_view error;
};

struct Findings {
    List<Leak*> leaks;
    std::uint64_t errors = 0;
    std::uint64_t warnings = 0;
    std::uint64_t notes = 0;
    std::uint64_t by_kind[record::kind_count] = {};
    Cleanup cleanup;

    // A leak of the kind, with its severity; creator, time and stack are `origin`'s, if there is
    // one. Null when there is no room, or the kind is not wanted. To be counted once it is filled in.
    Leak* make(Pool& pool, Kind kind, std::string_view name, const Resource* origin);
    void count(Pool& pool, Leak* leak);

    std::uint64_t count_of(Status status) const;

    // At least one error or warning.
    bool left_over() const { return errors != 0 || warnings != 0; }
};

}  // namespace leftover::hand
