// The record files that this process writes to: its own, and the one it inherited from the process
// that forked it, which takes what it cannot write into one of its own (the spill area).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "preload/core/law.h"
#include "preload/record/format.h"

namespace leftover {

struct Mapping {
    record::Header* header = nullptr;
    std::atomic<std::uint32_t> chunk_count{0};
    std::atomic<std::uint32_t> growing{0};
    std::uint64_t ticks = 0;   // with pid and image, what the file is called
    std::uint32_t image = 0;
    std::uint32_t serial = 0;  // tells this record from all others this process ever had
    bool in_memory = false;    // no file could be had
    bool removed = false;      // the file is gone again: its session has ended and left nothing
    char* bases[record::max_chunks] = {};

    explicit operator bool() const { return header != nullptr; }
    std::uint64_t size(std::uint32_t chunk) const { return header->chunks[chunk].size; }
    record::ChunkType type(std::uint32_t chunk) const {
        return static_cast<record::ChunkType>(header->chunks[chunk].type.load(std::memory_order_acquire));
    }
};

// Each an empty Mapping while there is none.
Mapping& own_record();
Mapping& inherited_record();

// "FOLDER/PID-TICKS-IMAGE.record" of this process; false when that is too long.
bool record_path(std::uint64_t ticks, std::uint32_t image, char* buffer, std::size_t size);

// Where this process records now: its own file, opened at the first call, else the inherited one, else
// null. Any context but a vforked child.
Mapping* writable_record();
// The same without opening one.
Mapping* opened_record();

// Adds a chunk with room for at least `wanted` bytes of items (arena), any slots (slots), or the `wanted`th
// of its type (descriptors). False when
// it cannot: no space, no descriptors, not ours. Another thread's growing is waited for.
bool grow(Mapping& mapping, record::ChunkType type, std::uint64_t wanted);

// In a forked child: what was our own record, or the one that we used, is the parent's. Writes to
// nothing that the parent shares.
void inherit_records();

}  // namespace leftover
