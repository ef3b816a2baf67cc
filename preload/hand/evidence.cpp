#include "preload/hand/evidence.h"

#include "preload/core/handed.h"
#include "preload/core/proc_self.h"
#include "preload/core/process.h"
#include "preload/core/sys.h"
#include "preload/core/text.h"
#include "preload/hand/folder.h"

namespace leftover::hand {

namespace {

constexpr std::size_t longest_file_name = 80;

void append_identity(Text& text, int pid, std::uint64_t ticks) {
    text.number(static_cast<std::uint64_t>(pid)) << '-';
    text.number(ticks) << '-';
}

// What our own mapping's file is called; it is read from memory instead.
bool is_file_of(const char* name, const Mapping& mapping) {
    if (!mapping || mapping.in_memory) return false;
    char own[longest_file_name];
    Text text(own, sizeof own);
    append_identity(text, identity.pid, mapping.ticks);
    text.number(mapping.image) << ".record";
    return text.view() == name;
}

long open_folder() {
    return sys::open(options.folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

}  // namespace

void Evidence::add(Record* record, const RecordBytes& bytes, bool resources) {
    if (resources) read_resources(bytes, *record, pool);
    if (!record->complete || record->lost != 0) complete = false;
    if (!records.add(pool, record)) complete = false;
}

void Evidence::add_file(long folder, const char* name, bool resources) {
    RecordBytes bytes;
    bool begun = true;
    Record* record = nullptr;
    if (bytes.open(folder, name)) record = read_record(bytes, pool, begun);
    if (record == nullptr) {
        // One that was never begun held nothing.
        if (begun) complete = false;
        return;
    }
    const std::string_view kept = pool.keep({name, length(name) + 1});
    if (kept.empty()) return;
    record->file = kept.data();
    add(record, bytes, resources);
}

void Evidence::add_mapping(const Mapping& mapping) {
    RecordBytes bytes;
    bytes.use(mapping);
    bool begun = true;
    Record* const record = read_record(bytes, pool, begun);
    if (record == nullptr) return;
    record->mapping = &mapping;
    if (&mapping == &own_record()) own = record;
    add(record, bytes, true);
}

void Evidence::read_session(bool resources) {
    clear();
    if (own_record()) add_mapping(own_record());
    const long folder = open_folder();
    if (sys::failed(folder)) {
        complete = false;
        return;
    }
    each_name(folder, [&](const char* name) {
        if (std::string_view(name).ends_with(".record") && !is_file_of(name, own_record())) {
            add_file(folder, name, resources);
        }
        return !pool.exhausted();
    });
    sys::close(folder);
    if (pool.exhausted()) complete = false;
    sort(records, [](const Record* one, const Record* other) {
        return one->opened_ns != other->opened_ns ? one->opened_ns < other->opened_ns
                                                  : one->pid < other->pid;
    });
    for (std::uint32_t i = 0; i < records.size(); ++i) records[i]->number = i;
}

void Evidence::read_own() {
    clear();
    if (own_record()) add_mapping(own_record());
    const bool spilled = fresh.descriptors_spilled.load(std::memory_order_relaxed) != 0;
    if (inherited_record() && (!own_record() || spilled)) add_mapping(inherited_record());
    const long folder = open_folder();
    if (!sys::failed(folder)) {
        char first[longest_file_name];
        Text text(first, sizeof first);
        append_identity(text, options.root_pid, options.root_ticks);
        text << "0.record";
        bool first_is_held = false;
        each_held_record([&](std::uint32_t image) {
            char name[longest_file_name];
            Text held(name, sizeof name);
            append_identity(held, identity.pid, own_start_ticks());
            held.number(image) << ".record";
            add_file(folder, name, true);
            first_is_held = first_is_held || text.view() == held.view();
        });
        if (!first_is_held && !is_file_of(first, own_record())) add_file(folder, first, false);
        sys::close(folder);
    }
    for (std::uint32_t i = 0; i < records.size(); ++i) records[i]->number = i;
}

void Evidence::clear() {
    pool.clear();
    records = {};
    complete = true;
    own = nullptr;
}

bool open_record(const Record& record, RecordBytes& bytes) {
    if (record.mapping != nullptr) {
        bytes.use(*record.mapping);
        return true;
    }
    const long folder = open_folder();
    if (sys::failed(folder)) return false;
    const bool opened = bytes.open(folder, record.file);
    sys::close(folder);
    return opened;
}

}  // namespace leftover::hand
