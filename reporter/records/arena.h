// The strings, modules and stacks of a record.
#pragma once

#include <vector>

#include "reporter/records/file.h"
#include "reporter/records/slots.h"

namespace leftover::records {

// Adds all items to `into`. Call it after read_slots: what a slot refers to was written before.
void read_items(const File& file, const std::vector<Chunk>& chunks, RecordFile& into);

}  // namespace leftover::records
