#include "reporter/records/slots.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <unordered_map>

#include "reporter/records/number.h"

namespace leftover::records {

namespace {

constexpr std::uint32_t block_slots = 512;  // 64 KiB, which stays in the processor's cache
constexpr int attempts = 5;

using record::SlotId;

// A copy of one slot, atomics and all.
struct Copy {
    SlotId id = 0;
    bool changed = false;
    alignas(record::Slot) std::array<std::byte, sizeof(record::Slot)> bytes;

    const record::Slot& slot() const { return *reinterpret_cast<const record::Slot*>(bytes.data()); }
    const char* tail() const {
        return reinterpret_cast<const char*>(bytes.data()) + record::tail_offset;
    }
};

struct Area {
    std::uint32_t chunk = 0;
    std::uint32_t capacity = 0;
    std::uint64_t begin = 0;  // of the slots, in the file
    std::vector<std::uint64_t> claimed;  // a bit a slot
};

record::State state_of(const record::Slot& slot) {
    return static_cast<record::State>(slot.state.load() & 0xff);
}

bool is_tail(const record::Slot& slot) { return state_of(slot) == record::State::tail; }

bool is_published(const record::Slot& slot) {
    const auto state = state_of(slot);
    return state == record::State::intent || state == record::State::live ||
           state == record::State::ended;
}

class Reader {
public:
    Reader(const File& file, RecordFile& into) : file_(file), into_(into) {}

    void add_chunk(const Chunk& chunk);
    void read();

private:
    template <class Visit>
    void each_claimed(Visit&& visit);
    void copy_all();
    void compare_all();
    bool read_copy(SlotId id, Copy& copy) const;
    const Copy* find(SlotId id) const;
    void add(const Copy& head);
    bool add_now(SlotId id);
    struct Decoded {
        Slot slot;
        std::vector<SlotId> tails;
    };
    template <class Tail>
    Decoded decode(const Copy& head, Tail&& tail) const;
    void accept(const Copy& head, Decoded&& decoded);
    bool is_taken(SlotId tail) const;

    const File& file_;
    RecordFile& into_;
    std::vector<Area> areas_;
    std::vector<Copy> copies_;             // ascending by id
    // A continuation belongs to one name: of this slot, as long as its state is this one.
    struct Owner {
        SlotId id;
        std::uint32_t state;
    };
    std::unordered_map<SlotId, Owner> used_tails_;
};

void Reader::add_chunk(const Chunk& chunk) {
    record::SlotChunk head{};
    if (chunk.size < sizeof head) {
        if (chunk.size > 0) mark_torn(into_, "cut off");
        return;
    }
    file_.read(chunk.offset, static_cast<void*>(&head), sizeof head);
    if (head.capacity == 0 && head.bitmap_offset == 0 && head.slots_offset == 0) {
        return;  // a process that ended with nothing left gave the chunk's pages back
    }
    const std::uint64_t bitmap_size = head.capacity / 8;
    const std::uint64_t slots_size = std::uint64_t{head.capacity} * sizeof(record::Slot);
    if (head.capacity == 0 || head.capacity % 64 != 0 || head.capacity > 0x3fffffe ||
        head.bitmap_offset < sizeof head || head.slots_offset < sizeof head) {
        return mark_torn(into_, "a damaged table of slots");
    }
    if (std::uint64_t{head.bitmap_offset} + bitmap_size > chunk.size) {
        return mark_torn(into_, "a table of slots that is cut off");
    }
    Area area;
    area.chunk = chunk.number;
    area.capacity = head.capacity;
    area.begin = chunk.offset + head.slots_offset;
    if (head.slots_offset + slots_size > chunk.size) {
        mark_torn(into_, "a table of slots that is cut off");
    }
    area.claimed.resize(head.capacity / 64);
    file_.read(chunk.offset + head.bitmap_offset, area.claimed.data(), bitmap_size);
    areas_.push_back(std::move(area));
}

// Calls `visit(SlotId, const std::byte*)` for each claimed slot, ascending.
template <class Visit>
void Reader::each_claimed(Visit&& visit) {
    constexpr std::size_t slot_size = sizeof(record::Slot);
    std::vector<std::byte> block(block_slots * slot_size);
    for (const Area& area : areas_) {
        for (std::uint32_t first = 0; first < area.capacity; first += block_slots) {
            const std::uint32_t count = std::min(block_slots, area.capacity - first);
            const auto words = area.claimed.begin() + first / 64;
            if (std::all_of(words, words + count / 64, [](auto word) { return word == 0; })) {
                continue;
            }
            const std::size_t got =
                file_.read(area.begin + first * slot_size, block.data(), count * slot_size);
            for (std::uint32_t word = 0; word < count / 64; ++word) {
                for (std::uint64_t bits = words[word]; bits != 0; bits &= bits - 1) {
                    const std::uint32_t at =
                        word * 64 + static_cast<std::uint32_t>(std::countr_zero(bits));
                    if ((at + 1) * slot_size > got) break;
                    visit(record::slot_id(area.chunk, first + at), block.data() + at * slot_size);
                }
            }
        }
    }
}

void Reader::copy_all() {
    std::size_t claimed = 0;
    for (const Area& area : areas_) {
        for (const std::uint64_t word : area.claimed) claimed += static_cast<std::size_t>(std::popcount(word));
    }
    copies_.reserve(claimed);
    Copy copy;
    each_claimed([&](SlotId id, const std::byte* bytes) {
        copy.id = id;
        std::memcpy(copy.bytes.data(), bytes, copy.bytes.size());
        if (is_published(copy.slot()) || is_tail(copy.slot())) copies_.push_back(copy);
    });
}

// A slot that is the same in both passes was so in the instant between them: heads and tails that
// pass are of one moment.
void Reader::compare_all() {
    for (Copy& copy : copies_) copy.changed = true;
    auto next = copies_.begin();
    each_claimed([&](SlotId id, const std::byte* bytes) {
        while (next != copies_.end() && next->id < id) ++next;
        if (next == copies_.end() || next->id != id) return;
        next->changed = std::memcmp(next->bytes.data(), bytes, next->bytes.size()) != 0;
    });
}

const Copy* Reader::find(SlotId id) const {
    const auto found = std::lower_bound(copies_.begin(), copies_.end(), id,
                                        [](const Copy& copy, SlotId wanted) { return copy.id < wanted; });
    return found != copies_.end() && found->id == id ? &*found : nullptr;
}

bool Reader::read_copy(SlotId id, Copy& copy) const {
    const auto area = std::find_if(areas_.begin(), areas_.end(), [&](const Area& candidate) {
        return candidate.chunk == record::slot_chunk(id);
    });
    if (area == areas_.end() || record::slot_number(id) >= area->capacity) return false;
    copy.id = id;
    const std::uint64_t offset =
        area->begin + std::uint64_t{record::slot_number(id)} * copy.bytes.size();
    return file_.read(offset, copy.bytes.data(), copy.bytes.size()) == copy.bytes.size();
}

// `tail(SlotId, Copy&)` fetches a piece of the name and says whether it could.
template <class Tail>
Reader::Decoded Reader::decode(const Copy& head, Tail&& tail) const {
    const record::Slot& raw = head.slot();
    Decoded result;
    Slot& slot = result.slot;
    slot.state = state_of(raw);
    slot.kind = raw.kind;
    slot.flags = raw.flags.load();
    slot.pid = to_pid(raw.pid);
    slot.tid = to_pid(raw.tid);
    slot.stack = raw.stack.load();
    slot.value = raw.value.load();
    slot.created_at = to_time(raw.created_ns);
    slot.a = raw.a.load();
    slot.b = raw.b.load();
    slot.c = raw.c.load();
    slot.d = raw.d.load();
    slot.thread_name = std::string_view(raw.thread_name, ::strnlen(raw.thread_name, sizeof raw.thread_name));

    std::size_t rest = raw.name_size;
    slot.name.assign(raw.name, std::min(rest, record::inline_name_size));
    rest -= slot.name.size();
    std::vector<SlotId>& tails = result.tails;
    Copy piece;
    for (SlotId next = raw.next; rest > 0; next = piece.slot().next) {
        if (next == 0 || !tail(next, piece) || !is_tail(piece.slot()) ||
            is_taken(next) ||
            std::find(tails.begin(), tails.end(), next) != tails.end()) {
            slot.name_cut = true;
            break;
        }
        tails.push_back(next);
        const std::size_t size = std::min(rest, record::tail_size);
        slot.name.append(piece.tail(), size);
        rest -= size;
    }
    return result;
}

// By a slot that still is what it was when it was read: of a process at work it may have been released since,
// and its continuation be another's by now.
bool Reader::is_taken(SlotId tail) const {
    const auto owner = used_tails_.find(tail);
    if (owner == used_tails_.end()) return false;
    Copy now;
    return read_copy(owner->second.id, now) && now.slot().state.load() == owner->second.state;
}

void Reader::accept(const Copy& head, Decoded&& decoded) {
    if (decoded.slot.name_cut) mark_torn(into_, "a name whose continuation is damaged");
    for (const SlotId tail : decoded.tails) used_tails_.insert_or_assign(tail, Owner{head.id, head.slot().state.load()});
    into_.slots.push_back(std::move(decoded.slot));
}

void Reader::add(const Copy& head) {
    if (static_cast<std::size_t>(head.slot().kind) >= record::kind_count) {
        return mark_torn(into_, "a slot of an unknown kind");
    }
    bool unstable = head.changed;
    if (!unstable) {
        Decoded decoded = decode(head, [&](SlotId id, Copy& piece) {
            const Copy* found = find(id);
            if (found == nullptr) return false;
            unstable = unstable || found->changed;
            piece = *found;
            return true;
        });
        // A name in pieces may have changed hands while it was read.
        unstable = unstable || decoded.slot.name_cut;
        if (!unstable) return accept(head, std::move(decoded));
    }
    for (int attempt = 0; attempt < attempts; ++attempt) {
        if (add_now(head.id)) return;
    }
    // A slot that never stands still belongs to a process at work; what it holds by now was made
    // after this reading began.
}

// Reads one slot of a process at work. False when it changed meanwhile.
bool Reader::add_now(SlotId id) {
    Copy head;
    if (!read_copy(id, head) || !is_published(head.slot())) return true;
    Decoded decoded =
        decode(head, [&](SlotId tail, Copy& piece) { return read_copy(tail, piece); });
    Copy again;
    // Not the state word alone: the first copy's bytes may be older than the state read with them.
    if (!read_copy(id, again) || again.bytes != head.bytes) return false;
    accept(head, std::move(decoded));
    return true;
}

void Reader::read() {
    copy_all();
    compare_all();
    into_.slots.reserve(copies_.size());
    for (const Copy& copy : copies_) {
        if (!is_tail(copy.slot())) add(copy);
    }
}

}  // namespace

void read_slots(const File& file, const std::vector<Chunk>& chunks, RecordFile& into) {
    Reader reader(file, into);
    for (const Chunk& chunk : chunks) {
        if (chunk.type == record::ChunkType::slots) reader.add_chunk(chunk);
    }
    reader.read();
}

}  // namespace leftover::records
