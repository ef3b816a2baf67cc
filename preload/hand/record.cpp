#include "preload/hand/record.h"

#include "preload/core/text.h"

namespace leftover::hand {

using record::ChunkEntry;
using record::ChunkType;
using record::Header;

namespace {

// Everything here is read under the lock of the one who ends.
alignas(Header) char header_bytes[record::header_size];

int to_pid(std::uint32_t number) { return number <= INT32_MAX ? static_cast<int>(number) : 0; }

bool is_known(const Header& header) {
    return __builtin_memcmp(header.magic, record::magic, sizeof header.magic) == 0 &&
           header.version == record::version && header.byte_order == record::byte_order &&
           header.header_size == record::header_size && header.slot_size == sizeof(record::Slot) &&
           header.word_size == sizeof(void*);
}

bool has_magic(const Header& header) {
    for (const char byte : header.magic) {
        if (byte != 0) return true;
    }
    return false;
}

// All places are looked at, whatever chunk_count says: the type is written last.
void keep_chunks(const Header& header, Record& record, Pool& pool) {
    record.chunks = pool.make<ChunkEntry>(record::max_chunks);
    if (record.chunks == nullptr) return;
    for (std::uint32_t number = 0; number < record::max_chunks; ++number) {
        const ChunkEntry& from = header.chunks[number];
        const std::uint32_t type = from.type.load(std::memory_order_acquire);
        if (type == 0) continue;
        if (type > static_cast<std::uint32_t>(ChunkType::descriptors) ||
            from.offset < record::header_size || from.size > INT64_MAX - from.offset) {
            record.complete = false;
            continue;
        }
        record.chunks[number].offset = from.offset;
        record.chunks[number].size = from.size;
        record.chunks[number].type.store(type, std::memory_order_relaxed);
        record.chunk_count = number + 1;
    }
}

}  // namespace

Record* read_record(const RecordBytes& bytes, Pool& pool, bool& begun) {
    const std::size_t got = bytes.read(0, header_bytes, sizeof header_bytes);
    const auto& header = *reinterpret_cast<const Header*>(header_bytes);
    begun = got >= sizeof header && has_magic(header);
    if (!begun || !is_known(header)) return nullptr;
    Record* const record = pool.make<Record>();
    if (record == nullptr) return nullptr;
    record->complete = true;
    record->owner = bytes.owner();
    record->flags = header.flags;
    record->pid = to_pid(header.pid);
    record->ppid = to_pid(header.ppid);
    record->start_ticks = header.start_ticks;
    record->started_ns = header.started_ns;
    record->opened_ns = header.opened_ns;
    record->pid_namespace = header.pid_namespace;
    const std::uint32_t ending = header.ending.load(std::memory_order_relaxed);
    if (ending <= static_cast<std::uint32_t>(record::Ending::exec)) {
        record->ending = static_cast<record::Ending>(ending);
    }
    record->ending_value =
        static_cast<int>(header.ending_value.load(std::memory_order_relaxed) & 0xffff);
    record->ended_ns = header.ended_ns.load(std::memory_order_relaxed);
    record->lost = header.lost.load(std::memory_order_relaxed);
    record->reported = header.reported.load(std::memory_order_relaxed) != 0;
    record->executable = pool.keep(text_of(header.executable));
    record->cwd = pool.keep(text_of(header.cwd));
    const std::size_t command = header.command_size;
    record->command = pool.keep(
        {header.command, command < sizeof header.command ? command : sizeof header.command});
    for (std::size_t kind = 0; kind < record::kind_count; ++kind) {
        const record::Counter& counter = header.counters[kind];
        record->counts[kind] = {counter.created.load(std::memory_order_relaxed),
                                counter.released.load(std::memory_order_relaxed),
                                counter.peak.load(std::memory_order_relaxed)};
    }
    keep_chunks(header, *record, pool);
    return record;
}

std::size_t read_item(const RecordBytes& bytes, const Record& record, record::ItemId id,
                      record::ItemType type, void* to, std::size_t size) {
    const std::uint32_t number = record::item_chunk(id);
    if (id == 0 || number >= record.chunk_count) return 0;
    const ChunkEntry& chunk = record.chunks[number];
    if (chunk.type.load(std::memory_order_relaxed) !=
        static_cast<std::uint32_t>(ChunkType::arena)) {
        return 0;
    }
    const std::uint64_t offset = record::item_offset(id);
    record::Item head;
    if (chunk.size < sizeof head || offset > chunk.size - sizeof head ||
        !bytes.read_all(chunk.offset + offset, &head, sizeof head) ||
        head.type.load(std::memory_order_relaxed) != static_cast<std::uint32_t>(type) ||
        head.size > chunk.size - offset - sizeof head) {
        return 0;
    }
    const std::size_t wanted = head.size < size ? head.size : size;
    return bytes.read_all(chunk.offset + offset + sizeof head, to, wanted) ? head.size : 0;
}

bool find_module(const RecordBytes& bytes, const Record& record, std::uint32_t number,
                 record::Module& module) {
    for (std::uint32_t c = 0; c < record.chunk_count; ++c) {
        const ChunkEntry& chunk = record.chunks[c];
        record::ArenaChunk head;
        if (chunk.type.load(std::memory_order_relaxed) !=
                static_cast<std::uint32_t>(ChunkType::arena) ||
            !bytes.read_all(chunk.offset, &head, sizeof head)) {
            continue;
        }
        const std::uint64_t used = head.used.load(std::memory_order_relaxed);
        std::uint64_t at = head.first_item;
        while (at >= sizeof head && at % 8 == 0 && at < used &&
               at + sizeof(record::Item) < chunk.size) {
            record::Item item;
            if (!bytes.read_all(chunk.offset + at, &item, sizeof item)) break;
            const auto type =
                static_cast<record::ItemType>(item.type.load(std::memory_order_relaxed));
            // Torn before its size was written: what lies behind it cannot be reached this way.
            if (type == record::ItemType::none && item.size == 0) break;
            if (type == record::ItemType::module && item.size >= sizeof module &&
                bytes.read_all(chunk.offset + at + sizeof item, &module, sizeof module) &&
                module.number == number) {
                return true;
            }
            at += sizeof item + (static_cast<std::uint64_t>(item.size) + 7) / 8 * 8;
        }
    }
    return false;
}

}  // namespace leftover::hand
