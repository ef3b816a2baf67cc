// Everything that is written down about a session: its records, read at one moment. Any context; in
// a process one at a time.
#pragma once

#include "preload/core/law.h"
#include "preload/hand/pool.h"
#include "preload/hand/record.h"

namespace leftover::hand {

struct Evidence {
    Pool pool;
    List<Record*> records;        // in the order in which they were opened
    bool complete = true;         // false: something could not be read, or was never written down
    const Record* own = nullptr;  // this process image's

    // All records of the session; of other processes only the headers, unless `resources`.
    void read_session(bool resources);
    // What this process alone wrote, and the session's first process's header.
    void read_own();
    void clear();

private:
    void add_file(long folder, const char* name, bool resources);
    void add_mapping(const Mapping& mapping);
    void add(Record* record, const RecordBytes& bytes, bool resources);
};

// Opens the bytes of a record again. False when they are gone.
bool open_record(const Record& record, RecordBytes& bytes);

}  // namespace leftover::hand
