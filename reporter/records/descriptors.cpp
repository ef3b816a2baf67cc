// The open descriptors of a record, made into slots.

#include <array>
#include <cstring>
#include <vector>

#include "reporter/records/number.h"
#include "reporter/records/slots.h"

namespace leftover::records {

namespace {

constexpr std::uint32_t block_size = 512;
constexpr int attempts = 5;

using record::Descriptor;

// A copy of one, atomics and all.
struct Copy {
    alignas(Descriptor) std::array<std::byte, sizeof(Descriptor)> bytes;

    const Descriptor& its() const { return *reinterpret_cast<const Descriptor*>(bytes.data()); }
    bool is_live() const {
        return (its().state.load() & 0xff) == static_cast<std::uint32_t>(record::State::live);
    }
};

Slot decode(const Descriptor& raw, std::uint32_t fd, const Header& header) {
    Slot slot;
    slot.state = record::State::live;
    slot.kind = Kind::file_descriptor;
    slot.pid = header.pid;
    slot.tid = to_pid(raw.tid);
    slot.stack = raw.stack.load();
    slot.target = raw.target.load();
    slot.created_at = to_time(raw.created_ns);
    slot.b = fd;
    slot.flags = raw.flags;
    slot.thread_name = std::string_view(raw.thread_name, ::strnlen(raw.thread_name, sizeof raw.thread_name));
    if ((raw.flags & record::name_cut) != 0) slot.name = "...";
    slot.name.append(raw.name, std::min<std::size_t>(raw.name_size, sizeof raw.name));
    return slot;
}

// What changes while it is read belongs to a process at work: one that never stands still was opened
// after this reading began.
void add(const File& file, std::uint64_t offset, Copy copy, std::uint32_t fd, RecordFile& into) {
    for (int attempt = 0; attempt < attempts && copy.is_live(); ++attempt) {
        Copy again;
        if (file.read(offset, again.bytes.data(), again.bytes.size()) != again.bytes.size()) return;
        if (again.bytes == copy.bytes) {
            into.slots.push_back(decode(copy.its(), fd, into.header));
            return;
        }
        copy = again;
    }
}

void read_chunk(const File& file, const Chunk& chunk, RecordFile& into) {
    record::DescriptorChunk head{};
    if (chunk.size < sizeof head) {
        if (chunk.size > 0) mark_torn(into, "cut off");
        return;
    }
    file.read(chunk.offset, static_cast<void*>(&head), sizeof head);
    if (head.capacity == 0 && head.first == 0) return;  // its pages were given back, or it is just being made
    if (head.capacity == 0 || head.first > INT32_MAX || head.capacity > INT32_MAX) {
        return mark_torn(into, "a damaged table of descriptors");
    }
    std::uint64_t capacity = head.capacity;
    if (sizeof head + capacity * sizeof(Descriptor) > chunk.size) {
        mark_torn(into, "a table of descriptors that is cut off");
        capacity = (chunk.size - sizeof head) / sizeof(Descriptor);
    }
    std::vector<Copy> block(block_size);
    for (std::uint64_t first = 0; first < capacity; first += block_size) {
        const std::uint64_t offset = chunk.offset + sizeof head + first * sizeof(Descriptor);
        const std::uint64_t wanted = std::min<std::uint64_t>(block_size, capacity - first);
        const std::size_t got =
            file.read(offset, static_cast<void*>(block.data()), wanted * sizeof(Descriptor)) / sizeof(Descriptor);
        for (std::size_t i = 0; i < got; ++i) {
            if (!block[i].is_live()) continue;
            add(file, offset + i * sizeof(Descriptor), block[i],
                static_cast<std::uint32_t>(head.first + first + i), into);
        }
    }
}

}  // namespace

void read_descriptors(const File& file, const std::vector<Chunk>& chunks, RecordFile& into) {
    for (const Chunk& chunk : chunks) {
        if (chunk.type == record::ChunkType::descriptors) read_chunk(file, chunk, into);
    }
}

}  // namespace leftover::records
