// The slots of a record.
#pragma once

#include <cstdint>
#include <vector>

#include "reporter/records/file.h"
#include "reporter/records/record_file.h"

namespace leftover::records {

// A chunk that lies within the file.
struct Chunk {
    std::uint32_t number = 0;  // in the header
    record::ChunkType type{};
    std::uint64_t offset = 0;  // in the file
    std::uint64_t size = 0;    // bytes; cut where the file ends
};

// Adds a reason why a record is not complete; the first one stays.
void mark_torn(RecordFile& into, const char* reason);

// Adds all published slots to `into`, and for each open descriptor a slot like those that some of them have.
void read_slots(const File& file, const std::vector<Chunk>& chunks, RecordFile& into);
void read_descriptors(const File& file, const std::vector<Chunk>& chunks, RecordFile& into);

}  // namespace leftover::records
