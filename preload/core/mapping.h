// The record files that this process writes to: its own, and the one it inherited from the process
// that forked it, which takes what it cannot write into one of its own (the spill area).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "preload/core/law.h"
#include "preload/record/format.h"

namespace leftover {

struct ChunkView {
    char* base = nullptr;
    std::uint64_t size = 0;
    record::ChunkType type = record::ChunkType::none;
};

struct Mapping {
    record::Header* header = nullptr;
    ChunkView chunks[record::max_chunks];
    std::atomic<std::uint32_t> chunk_count{0};
    std::atomic<std::uint32_t> growing{0};
    bool own = false;       // may grow; else only what was mapped at the fork is there
    char path[640] = {};    // of the file; empty: memory only

    explicit operator bool() const { return header != nullptr; }
};

extern Mapping own_record;
extern Mapping inherited_record;

// Where this process records now: its own file, opened at the first call, else the inherited one, else
// null. Any context but a vforked child.
Mapping* writable_record();
// The same without opening one.
Mapping* opened_record();

// Adds a chunk with room for at least `wanted` bytes of items (arena) or any slots (slots). False when
// it cannot: no space, no descriptors, not ours. Another thread's growing is waited for.
bool grow(Mapping& mapping, record::ChunkType type, std::uint64_t wanted);

// In a forked child: what was our own record is the parent's. True when there was one.
bool inherit_records();

}  // namespace leftover
