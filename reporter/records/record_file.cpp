#include "reporter/records/record_file.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <stdexcept>

#include "reporter/records/arena.h"
#include "reporter/records/number.h"
#include "reporter/records/slots.h"

namespace leftover::records {

namespace {

template <std::size_t size>
std::string text_of(const char (&field)[size]) {
    return {field, ::strnlen(field, size)};
}

bool has_no_magic(const record::Header& raw) {
    return std::all_of(std::begin(raw.magic), std::end(raw.magic), [](char byte) { return byte == 0; });
}

// Why a header cannot be read, nothing when it can.
const char* objection(const record::Header& raw, std::size_t got) {
    if (got == 0) return "an empty file";
    if (got < sizeof raw.magic || std::memcmp(raw.magic, record::magic, sizeof raw.magic) != 0) {
        return "not a leftover record";
    }
    if (got < sizeof raw) return "a record cut off in its header";
    if (raw.byte_order != record::byte_order) return "a record of another byte order";
    if (raw.version != record::version) return "a record of another version of leftover";
    if (raw.header_size != record::header_size || raw.slot_size != sizeof(record::Slot) ||
        raw.word_size != sizeof(void*)) {
        return "a record of another layout";
    }
    return nullptr;
}

void read_header(const File& file, const std::filesystem::path& path, record::Header& raw) {
    const std::size_t got = file.read(0, static_cast<void*>(&raw), sizeof raw);
    if (got == sizeof raw && has_no_magic(raw)) {
        throw NeverBegun(path.string() + ": a record that was never begun");
    }
    if (const char* reason = objection(raw, got)) {
        throw std::runtime_error(path.string() + ": " + reason);
    }
}

std::vector<std::string> arguments(const record::Header& raw) {
    const std::size_t size = std::min<std::size_t>(raw.command_size, sizeof raw.command);
    std::vector<std::string> command;
    for (std::size_t begin = 0; begin < size;) {
        const std::size_t length = ::strnlen(raw.command + begin, size - begin);
        command.emplace_back(raw.command + begin, length);
        begin += length + 1;
    }
    return command;
}

Header decode(const record::Header& raw) {
    Header header;
    header.flags = raw.flags;
    header.pid = to_pid(raw.pid);
    header.ppid = to_pid(raw.ppid);
    header.start_ticks = raw.start_ticks;
    header.started_at = to_time(raw.started_ns);
    header.opened_at = to_time(raw.opened_ns);
    header.pid_namespace = raw.pid_namespace;
    header.boot_id = {raw.boot_id[0], raw.boot_id[1]};
    // An unknown ending is none: what matters is then asked of the kernel.
    const std::uint32_t ending = raw.ending.load();
    if (ending <= static_cast<std::uint32_t>(record::Ending::exec)) {
        header.ending = static_cast<record::Ending>(ending);
    }
    header.ending_value = static_cast<int>(raw.ending_value.load() & 0xffff);
    header.ended_at = to_time(raw.ended_ns.load());
    header.lost = raw.lost.load();
    header.reported = raw.reported.load() != 0;
    header.session = text_of(raw.session);
    header.executable = text_of(raw.executable);
    header.cwd = text_of(raw.cwd);
    header.command = arguments(raw);
    for (std::size_t kind = 0; kind < record::kind_count; ++kind) {
        const record::Counter& counter = raw.counters[kind];
        header.counters[kind] = {counter.created.load(), counter.released.load(),
                                 counter.peak.load()};
    }
    return header;
}

// All chunks are looked at, whatever chunk_count says: the type is written last.
std::vector<Chunk> chunks_of(const record::Header& raw, const File& file, RecordFile& into) {
    std::vector<Chunk> chunks;
    const std::uint64_t size = file.size();
    for (std::uint32_t number = 0; number < record::max_chunks; ++number) {
        const record::ChunkEntry& entry = raw.chunks[number];
        const std::uint32_t type = entry.type.load();
        if (type == static_cast<std::uint32_t>(record::ChunkType::none)) continue;
        if (type > static_cast<std::uint32_t>(record::ChunkType::descriptors) ||
            entry.offset < record::header_size) {
            mark_torn(into, "a damaged list of chunks");
            continue;
        }
        Chunk chunk{number, static_cast<record::ChunkType>(type), entry.offset, entry.size};
        if (chunk.offset > size || chunk.size > size - chunk.offset) {
            mark_torn(into, "cut off");
            chunk.size = chunk.offset < size ? size - chunk.offset : 0;
        }
        chunks.push_back(chunk);
    }
    return chunks;
}

}  // namespace

void mark_torn(RecordFile& into, const char* reason) {
    if (into.complete) into.trouble = into.path.string() + ": " + reason;
    into.complete = false;
}

RecordFile read_record(const std::filesystem::path& path) {
    record::Header raw{};
    RecordFile result;
    result.path = path;
    {
        const File file(path);
        result.owner = file.owner();
        read_header(file, path, raw);
        result.header = decode(raw);
        const std::vector<Chunk> chunks = chunks_of(raw, file, result);
        read_slots(file, chunks, result);
        read_descriptors(file, chunks, result);
    }
    // Again: a living process may have added an arena chunk that the slots just read refer to.
    const File file(path);
    read_header(file, path, raw);
    read_items(file, chunks_of(raw, file, result), result);
    return result;
}

}  // namespace leftover::records
