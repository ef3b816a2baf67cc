// The slots of a record. Its process may be at work: a slot counts when two readings of it agree.
#include "preload/core/text.h"
#include "preload/hand/record.h"

namespace leftover::hand {

using record::ChunkType;
using record::Slot;
using record::SlotChunk;
using record::SlotId;
using record::State;

namespace {

constexpr std::uint32_t block_slots = 64;  // as many as a word of the bitmap has bits
constexpr int attempts = 5;
constexpr std::size_t longest_name = 0xffff;

// Everything here is read under the lock of the one who ends.
alignas(Slot) char first_reading[block_slots * sizeof(Slot)];
alignas(Slot) char second_reading[block_slots * sizeof(Slot)];
char name_buffer[longest_name];

State state_of(const Slot& slot) {
    return static_cast<State>(slot.state.load(std::memory_order_relaxed) & 0xff);
}

bool is_published(const Slot& slot) {
    const State state = state_of(slot);
    return state == State::intent || state == State::live || state == State::ended;
}

class Reader {
public:
    Reader(const RecordBytes& bytes, Record& record, Pool& pool)
        : bytes_(bytes), record_(record), pool_(pool) {}

    void read_chunk(const record::ChunkEntry& chunk);

private:
    bool place_of(SlotId id, std::uint64_t& offset) const;
    // False when the slot changed meanwhile.
    bool add(std::uint64_t offset, const Slot& slot);
    std::string_view read_name(const Slot& slot, bool& cut) const;

    const RecordBytes& bytes_;
    Record& record_;
    Pool& pool_;
};

bool is_sound(const SlotChunk& head, std::uint64_t size) {
    return head.capacity != 0 && head.capacity % 64 == 0 && head.capacity <= 0x3fffffe &&
           head.bitmap_offset >= sizeof head && head.slots_offset >= sizeof head &&
           head.bitmap_offset + std::uint64_t{head.capacity} / 8 <= size &&
           head.slots_offset + std::uint64_t{head.capacity} * sizeof(Slot) <= size;
}

bool Reader::place_of(SlotId id, std::uint64_t& offset) const {
    const std::uint32_t number = record::slot_chunk(id);
    SlotChunk head;
    if (number >= record_.chunk_count) return false;
    const record::ChunkEntry& chunk = record_.chunks[number];
    if (chunk.type.load(std::memory_order_relaxed) !=
            static_cast<std::uint32_t>(ChunkType::slots) ||
        !bytes_.read_all(chunk.offset, &head, sizeof head) || !is_sound(head, chunk.size) ||
        record::slot_number(id) >= head.capacity) {
        return false;
    }
    offset =
        chunk.offset + head.slots_offset + std::uint64_t{record::slot_number(id)} * sizeof(Slot);
    return true;
}

std::string_view Reader::read_name(const Slot& slot, bool& cut) const {
    const std::size_t size = slot.name_size;
    std::size_t done = size < record::inline_name_size ? size : record::inline_name_size;
    copy_bytes(name_buffer, slot.name, done);
    // Each piece has text, so that links that lead in a circle end as well.
    for (SlotId next = slot.next; done < size;) {
        alignas(Slot) char tail_bytes[sizeof(Slot)];
        const auto& tail = *reinterpret_cast<const Slot*>(tail_bytes);
        std::uint64_t offset = 0;
        if (next == 0 || !place_of(next, offset) ||
            !bytes_.read_all(offset, tail_bytes, sizeof(Slot)) || state_of(tail) != State::tail) {
            cut = true;
            break;
        }
        const std::size_t part = size - done < record::tail_size ? size - done : record::tail_size;
        copy_bytes(name_buffer + done, tail_bytes + record::tail_offset, part);
        done += part;
        next = tail.next;
    }
    return {name_buffer, done};
}

bool Reader::add(std::uint64_t offset, const Slot& slot) {
    if (static_cast<std::size_t>(slot.kind) >= record::kind_count) {
        record_.complete = false;
        return true;
    }
    bool cut = false;
    const std::string_view name = read_name(slot, cut);
    if (slot.name_size > record::inline_name_size) {
        // A name in pieces may have changed hands while it was read.
        std::uint32_t state = 0;
        if (!bytes_.read_all(offset, &state, sizeof state) ||
            state != slot.state.load(std::memory_order_relaxed)) {
            return false;
        }
        if (cut) record_.complete = false;
    }
    auto* const resource = pool_.make<Resource>();
    if (resource == nullptr) return true;
    resource->record = &record_;
    resource->state = state_of(slot);
    resource->kind = slot.kind;
    resource->flags = slot.flags.load(std::memory_order_relaxed);
    resource->name_cut = cut;
    resource->pid = slot.pid <= INT32_MAX ? static_cast<int>(slot.pid) : 0;
    resource->tid = slot.tid <= INT32_MAX ? static_cast<int>(slot.tid) : 0;
    resource->stack = slot.stack.load(std::memory_order_relaxed);
    resource->value = slot.value.load(std::memory_order_relaxed);
    resource->created_ns = slot.created_ns;
    resource->a = slot.a.load(std::memory_order_relaxed);
    resource->b = slot.b.load(std::memory_order_relaxed);
    resource->c = slot.c.load(std::memory_order_relaxed);
    resource->d = slot.d.load(std::memory_order_relaxed);
    resource->name = pool_.keep(name);
    resource->thread_name = pool_.keep(text_of(slot.thread_name));
    record_.resources.add(pool_, resource);
    return true;
}

void Reader::read_chunk(const record::ChunkEntry& chunk) {
    SlotChunk head;
    if (!bytes_.read_all(chunk.offset, &head, sizeof head)) {
        record_.complete = false;
        return;
    }
    // A process that ended with nothing left gave the chunk's pages back.
    if (head.capacity == 0 && head.bitmap_offset == 0 && head.slots_offset == 0) return;
    if (!is_sound(head, chunk.size)) {
        record_.complete = false;
        return;
    }
    for (std::uint32_t first = 0; first < head.capacity; first += block_slots) {
        std::uint64_t claimed = 0;
        const std::uint64_t offset =
            chunk.offset + head.slots_offset + std::uint64_t{first} * sizeof(Slot);
        if (!bytes_.read_all(chunk.offset + head.bitmap_offset + first / 8, &claimed,
                             sizeof claimed)) {
            record_.complete = false;
            return;
        }
        if (claimed == 0) continue;
        if (!bytes_.read_all(offset, first_reading, sizeof first_reading) ||
            !bytes_.read_all(offset, second_reading, sizeof second_reading)) {
            record_.complete = false;
            return;
        }
        for (; claimed != 0; claimed &= claimed - 1) {
            const std::size_t at = static_cast<unsigned>(__builtin_ctzll(claimed)) * sizeof(Slot);
            const auto& slot = *reinterpret_cast<const Slot*>(first_reading + at);
            // One that never stands still belongs to a process at work, and what it holds by now
            // was made after this reading began.
            for (int attempt = 0; attempt < attempts; ++attempt) {
                const bool stable =
                    __builtin_memcmp(first_reading + at, second_reading + at, sizeof(Slot)) == 0;
                if (stable && (!is_published(slot) || add(offset + at, slot))) break;
                if (!bytes_.read_all(offset + at, first_reading + at, sizeof(Slot)) ||
                    !bytes_.read_all(offset + at, second_reading + at, sizeof(Slot))) {
                    break;
                }
            }
        }
    }
}

}  // namespace

void read_resources(const RecordBytes& bytes, Record& record, Pool& pool) {
    Reader reader(bytes, record, pool);
    for (std::uint32_t c = 0; c < record.chunk_count; ++c) {
        if (record.chunks[c].type.load(std::memory_order_relaxed) ==
            static_cast<std::uint32_t>(ChunkType::slots)) {
            reader.read_chunk(record.chunks[c]);
        }
    }
    read_descriptors(bytes, record, pool);
    if (pool.exhausted()) record.complete = false;
}

}  // namespace leftover::hand
