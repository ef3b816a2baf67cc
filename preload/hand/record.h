// Records as plain values in a pool: the rules for readers are in record/format.h. Any context.
#pragma once

#include <cstdint>
#include <string_view>

#include "preload/core/law.h"
#include "preload/core/mapping.h"
#include "preload/hand/pool.h"
#include "preload/hand/record_bytes.h"
#include "preload/record/format.h"

namespace leftover::hand {

using record::Kind;

struct Record;

// One published resource.
struct Resource {
    Record* record;
    Resource* next_same;  // of one name, or of one process, in the tables of the judge
    record::State state;
    Kind kind;
    std::uint8_t flags;  // record::SlotFlag; DescriptorFlag of one in a chunk of these
    bool name_cut;       // the rest of the name could not be read: look nothing up by it
    int pid;             // the creator
    int tid;
    record::ItemId stack;
    std::uint32_t value;  // file_descriptor: its target, an ItemId of a string; 0: the name is all
    std::uint64_t created_ns;
    std::uint64_t a, b, c, d;  // by kind, see record::Slot
    std::string_view name;
    std::string_view thread_name;

    bool has(record::SlotFlag flag) const { return (flags & flag) != 0; }
};

struct Counts {
    std::uint64_t created, released, peak;
};

// What one process image wrote.
struct Record {
    const char* file;  // its name in the session's folder; null: `mapping`
    const Mapping* mapping;
    std::uint32_t number;  // among those read
    std::uint32_t owner;   // user
    bool complete;
    std::uint32_t flags;  // record::HeaderFlag
    int pid, ppid;
    std::uint64_t start_ticks, started_ns, opened_ns, pid_namespace;
    record::Ending ending;
    int ending_value;
    std::uint64_t ended_ns;
    std::uint32_t lost;
    bool reported;
    std::string_view executable, cwd, command;  // command: each argument with its NUL
    Counts counts[record::kind_count];
    record::ChunkEntry* chunks;
    std::uint32_t chunk_count;
    List<Resource*> resources;
};

// The text of a field of fixed size.
template <std::size_t size>
std::string_view text_of(const char (&field)[size]) {
    const std::string_view whole(field, size);
    return whole.substr(0, whole.find('\0'));
}

// Reads the header, and no more. Null when it is that of no record this version knows, or of one
// that was never begun (`begun` tells).
Record* read_record(const RecordBytes& bytes, Pool& pool, bool& begun);

// Adds all published resources to the record; `complete` is false when something was damaged.
void read_resources(const RecordBytes& bytes, Record& record, Pool& pool);
// The open descriptors among them.
void read_descriptors(const RecordBytes& bytes, Record& record, Pool& pool);

// An item's payload, at most `size` bytes of it; how many bytes the payload has, or 0 when that id
// is no item of the type.
std::size_t read_item(const RecordBytes& bytes, const Record& record, record::ItemId id,
                      record::ItemType type, void* to, std::size_t size);

// The module of that number; false when there is none. Walks the items.
bool find_module(const RecordBytes& bytes, const Record& record, std::uint32_t number,
                 record::Module& module);

}  // namespace leftover::hand
