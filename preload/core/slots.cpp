#include "preload/core/slots.h"

#include "preload/core/clock.h"
#include "preload/core/pending.h"
#include "preload/core/process.h"
#include "preload/core/sys.h"
#include "preload/core/text.h"

namespace leftover {

using record::Bucket;
using record::ChunkType;
using record::Kind;
using record::Slot;
using record::SlotChunk;
using record::SlotFlag;
using record::SlotId;
using record::State;

namespace {

SlotChunk* head_of(const Mapping& mapping, std::uint32_t chunk) {
    return reinterpret_cast<SlotChunk*>(mapping.bases[chunk]);
}
std::atomic<std::uint64_t>* bitmap_of(SlotChunk* head) {
    return reinterpret_cast<std::atomic<std::uint64_t>*>(reinterpret_cast<char*>(head) + head->bitmap_offset);
}
Slot* slots_of(SlotChunk* head) {
    return reinterpret_cast<Slot*>(reinterpret_cast<char*>(head) + head->slots_offset);
}
Bucket* index_of(SlotChunk* head) {
    return reinterpret_cast<Bucket*>(reinterpret_cast<char*>(head) + head->index_offset);
}

constexpr std::uint32_t word_of(std::uint32_t generation, State state) {
    return generation << 8 | static_cast<std::uint32_t>(state);
}
State state_in(std::uint32_t word) { return static_cast<State>(word & 0xff); }
bool published(State state) { return state == State::intent || state == State::live || state == State::ended; }

constexpr std::uint32_t longest_probe = 32;

// How many slots a claimer may use of this chunk: the reserved ones are for children that have no
// record of their own.
std::uint32_t usable(const Mapping& mapping, const SlotChunk* head) {
    return &mapping == fresh.own ? head->capacity - head->reserved_slots : head->capacity;
}

SlotRef claim_in_chunk(Mapping& mapping, std::uint32_t chunk) {
    SlotChunk* head = head_of(mapping, chunk);
    const std::uint32_t limit = usable(mapping, head);
    if (head->used.load(std::memory_order_relaxed) >= limit) return {};
    auto* bitmap = bitmap_of(head);
    const std::uint32_t words = (limit + 63) / 64;
    const std::uint32_t first = head->hint.load(std::memory_order_relaxed) % words;
    for (std::uint32_t step = 0; step < words; ++step) {
        const std::uint32_t at = first + step < words ? first + step : first + step - words;
        const std::uint64_t usable_bits = limit - at * 64 >= 64 ? ~0ULL : (1ULL << (limit - at * 64)) - 1;
        std::uint64_t free = ~bitmap[at].load(std::memory_order_relaxed) & usable_bits;
        while (free != 0) {
            const std::uint64_t one = free & -free;
            if ((bitmap[at].fetch_or(one, std::memory_order_acq_rel) & one) == 0) {
                head->used.fetch_add(1, std::memory_order_relaxed);
                if (step != 0) head->hint.store(at, std::memory_order_relaxed);
                const std::uint32_t number = at * 64 + static_cast<std::uint32_t>(__builtin_ctzll(one));
                Slot* slot = slots_of(head) + number;
                const std::uint32_t generation = ((slot->state.load(std::memory_order_relaxed) >> 8) + 1) & 0xffffff;
                slot->state.store(word_of(generation, State::claimed), std::memory_order_release);
                return {&mapping, slot, record::slot_id(chunk, number), generation};
            }
            free = ~bitmap[at].load(std::memory_order_relaxed) & usable_bits;
        }
    }
    return {};
}

SlotRef claim_raw(Mapping& mapping) {
    for (;;) {
        const std::uint32_t chunks = mapping.chunk_count.load(std::memory_order_acquire);
        // Newest first: the larger chunk is the likelier one to have room.
        for (std::uint32_t c = chunks; c-- > 0;) {
            if (mapping.type(c) != ChunkType::slots) continue;
            if (SlotRef ref = claim_in_chunk(mapping, c)) return ref;
        }
        if (!grow(mapping, ChunkType::slots, 0)) return {};
    }
}

void free_raw(Mapping& mapping, SlotId id, std::uint32_t generation) {
    SlotChunk* head = head_of(mapping, record::slot_chunk(id));
    const std::uint32_t number = record::slot_number(id);
    slots_of(head)[number].state.store(word_of((generation + 1) & 0xffffff, State::free), std::memory_order_release);
    bitmap_of(head)[number / 64].fetch_and(~(1ULL << (number % 64)), std::memory_order_acq_rel);
    head->used.fetch_sub(1, std::memory_order_relaxed);
    head->hint.store(number / 64, std::memory_order_relaxed);
}

// Over the beginning of a name only, so that nobody needs room for the whole of a long one.
constexpr std::size_t keyed_size = 256;
std::uint64_t key_of(Kind kind, std::uint64_t number) { return mix(number, static_cast<std::uint64_t>(kind) + 101); }

std::uint64_t entry_of(std::uint64_t key, std::uint32_t number) {
    return (key >> 32) << 32 | (number + 1);
}

void insert_entry(SlotChunk* head, std::uint64_t key, std::uint32_t number) {
    const std::uint64_t entry = entry_of(key, number);
    const std::uint32_t mask = head->index_buckets - 1;
    for (std::uint32_t probe = 0; probe < longest_probe; ++probe) {
        Bucket& bucket = index_of(head)[(static_cast<std::uint32_t>(key) + probe) & mask];
        for (auto& place : bucket.entries) {
            std::uint64_t old = place.load(std::memory_order_relaxed);
            if (old == entry) return;
            if (old == 0 && place.compare_exchange_strong(old, entry, std::memory_order_acq_rel)) return;
            if (old == entry) return;
        }
        bucket.overflowed.store(1, std::memory_order_release);
    }
    // No place: the slot cannot be found by its key any more, and the kernel is asked at the end.
}

template <class Visit>
void each_entry(SlotChunk* head, std::uint64_t key, Visit visit) {
    const std::uint32_t mask = head->index_buckets - 1;
    for (std::uint32_t probe = 0; probe < longest_probe; ++probe) {
        Bucket& bucket = index_of(head)[(static_cast<std::uint32_t>(key) + probe) & mask];
        for (auto& place : bucket.entries) {
            const std::uint64_t entry = place.load(std::memory_order_acquire);
            if (entry != 0 && entry >> 32 == key >> 32 && visit(place, entry)) return;
        }
        if (bucket.overflowed.load(std::memory_order_acquire) == 0) return;
    }
}

void remove_entry(SlotChunk* head, std::uint64_t key, std::uint32_t number) {
    const std::uint64_t wanted = entry_of(key, number);
    each_entry(head, key, [&](std::atomic<std::uint64_t>& place, std::uint64_t entry) {
        if (entry == wanted) place.compare_exchange_strong(entry, 0, std::memory_order_acq_rel);
        return false;
    });
}

bool same_name(Mapping& mapping, const Slot* slot, std::string_view name) {
    if (slot->name_size != name.size()) return false;
    const char* piece = slot->name;
    std::size_t room = record::inline_name_size;
    std::uint32_t next = slot->next;
    while (!name.empty()) {
        const std::size_t size = name.size() < room ? name.size() : room;
        if (__builtin_memcmp(piece, name.data(), size) != 0) return false;
        name.remove_prefix(size);
        if (name.empty()) break;
        if (next == 0) return false;
        const SlotRef tail = slot_at(mapping, next);
        if (!tail) return false;
        piece = reinterpret_cast<const char*>(tail.slot) + record::tail_offset;
        room = record::tail_size;
        next = tail.slot->next;
    }
    return true;
}

// Calls `visit(SlotRef, State)` for each published slot that is the same, newest record first, until it returns
// true.
template <class Same, class Visit>
void each_by_key(std::uint64_t key, Kind kind, Same same, Visit visit) {
    Mapping* const own = opened_record();
    for (Mapping* mapping : {own, own == fresh.inherited ? nullptr : fresh.inherited}) {
        if (mapping == nullptr || !*mapping) continue;
        for (std::uint32_t c = mapping->chunk_count.load(std::memory_order_acquire); c-- > 0;) {
            if (mapping->type(c) != ChunkType::slots) continue;
            SlotChunk* head = head_of(*mapping, c);
            if (head->used.load(std::memory_order_relaxed) == 0) continue;
            bool done = false;
            each_entry(head, key, [&](std::atomic<std::uint64_t>&, std::uint64_t entry) {
                const auto number = static_cast<std::uint32_t>(entry) - 1;
                if (number >= head->capacity) return false;
                Slot* slot = slots_of(head) + number;
                const std::uint32_t word = slot->state.load(std::memory_order_acquire);
                if (!published(state_in(word)) || slot->kind != kind || !same(*mapping, slot)) return false;
                // What was compared was read before this: another thread may have begun to write the next
                // resource over it meanwhile.
                std::atomic_thread_fence(std::memory_order_acquire);
                if (slot->state.load(std::memory_order_relaxed) >> 8 != word >> 8) return false;
                done = visit(SlotRef{mapping, slot, record::slot_id(c, number), word >> 8}, state_in(word));
                return done;
            });
            if (done) return;
        }
    }
}

template <class Same>
SlotRef find_by_key(std::uint64_t key, Kind kind, Same same) {
    SlotRef found;
    each_by_key(key, kind, same, [&found](const SlotRef& ref, State) {
        found = ref;
        return true;
    });
    return found;
}

void count_created(Mapping& mapping, Kind kind) {
    record::Counter& counter = mapping.header->counters[static_cast<std::size_t>(kind)];
    const std::uint64_t created = counter.created.fetch_add(1, std::memory_order_relaxed) + 1;
    const std::uint64_t live = created - counter.released.load(std::memory_order_relaxed);
    std::uint64_t peak = counter.peak.load(std::memory_order_relaxed);
    while (live > peak && !counter.peak.compare_exchange_weak(peak, live, std::memory_order_relaxed)) {
    }
}

std::uint64_t name_key(Mapping& mapping, const Slot* slot) {
    char text[keyed_size];
    char* buffer = text;
    std::size_t left = slot->name_size < keyed_size ? slot->name_size : keyed_size;
    const char* piece = slot->name;
    std::size_t room = record::inline_name_size;
    std::uint32_t next = slot->next;
    while (left != 0) {
        const std::size_t part = left < room ? left : room;
        copy_bytes(buffer, piece, part);
        buffer += part;
        left -= part;
        if (left == 0 || next == 0) break;
        const SlotRef tail = slot_at(mapping, next);
        if (!tail) break;
        piece = reinterpret_cast<const char*>(tail.slot) + record::tail_offset;
        room = record::tail_size;
        next = tail.slot->next;
    }
    return key_of_name(slot->kind, std::string_view(text, slot->name_size));
}

constexpr std::uint8_t known_by_name = 1U << 6;
constexpr std::uint8_t known_by_number = 1U << 7;

}  // namespace

std::uint64_t key_of_name(Kind kind, std::string_view name) {
    const std::size_t size = name.size() < keyed_size ? name.size() : keyed_size;
    return hash_bytes(name.data(), size, name.size() << 8 | (static_cast<std::uint64_t>(kind) + 1));
}

SlotRef slot_at(Mapping& mapping, SlotId id) {
    const std::uint32_t chunk = record::slot_chunk(id);
    if (id == 0 || chunk >= mapping.chunk_count.load(std::memory_order_acquire) ||
        mapping.type(chunk) != ChunkType::slots) {
        return {};
    }
    SlotChunk* head = head_of(mapping, chunk);
    const std::uint32_t number = record::slot_number(id);
    if (number >= head->capacity) return {};
    Slot* slot = slots_of(head) + number;
    return {&mapping, slot, id, slot->state.load(std::memory_order_acquire) >> 8};
}

bool is_nearly_full(const Mapping& mapping) {
    constexpr std::uint32_t few = 16;
    std::uint32_t free = 0;
    for (std::uint32_t c = mapping.chunk_count.load(std::memory_order_acquire); c-- > 0;) {
        if (mapping.type(c) != ChunkType::slots) continue;
        const SlotChunk* head = head_of(mapping, c);
        const std::uint32_t used = head->used.load(std::memory_order_relaxed);
        const std::uint32_t most = usable(mapping, head);
        if (used < most) free += most - used;
    }
    return free < few;
}

SlotRef claim_slot(Kind kind) {
    if (thread_state.pending != 0) look_up_pending();
    Mapping* mapping = writable_record();
    if (mapping == nullptr) return {};
    const SlotRef ref = claim_slot_in(*mapping, kind);
    if (!ref) mapping->header->lost.fetch_add(1, std::memory_order_relaxed);
    return ref;
}

SlotRef claim_slot_in(Mapping& mapping, Kind kind) {
    const SlotRef ref = claim_raw(mapping);
    if (!ref) return {};
    Slot& slot = *ref.slot;
    slot.kind = kind;
    slot.flags.store(0, std::memory_order_relaxed);
    slot.name_size = 0;
    slot.pid = static_cast<std::uint32_t>(identity.pid);
    slot.tid = static_cast<std::uint32_t>(current_tid());
    slot.stack.store(0, std::memory_order_relaxed);
    slot.next = 0;
    slot.value.store(0, std::memory_order_relaxed);
    slot.created_ns = realtime_ns();
    slot.a.store(0, std::memory_order_relaxed);
    slot.b.store(0, std::memory_order_relaxed);
    slot.c.store(0, std::memory_order_relaxed);
    slot.d.store(0, std::memory_order_relaxed);
    copy_bytes(slot.thread_name, current_thread_name(), sizeof slot.thread_name);
    return ref;
}

void name_slot(const SlotRef& ref, std::string_view name) {
    if (name.size() > 0xffff) name = name.substr(0, 0xffff);
    ref.slot->name_size = static_cast<std::uint16_t>(name.size());
    std::size_t part = name.size() < record::inline_name_size ? name.size() : record::inline_name_size;
    copy_bytes(ref.slot->name, name.data(), part);
    name.remove_prefix(part);
    Slot* last = ref.slot;
    while (!name.empty()) {
        const SlotRef tail = claim_raw(*ref.mapping);
        if (!tail) {
            ref.mapping->header->lost.fetch_add(1, std::memory_order_relaxed);
            return;
        }
        part = name.size() < record::tail_size ? name.size() : record::tail_size;
        copy_bytes(reinterpret_cast<char*>(tail.slot) + record::tail_offset, name.data(), part);
        tail.slot->next = 0;
        tail.slot->state.store(word_of(tail.generation, State::tail), std::memory_order_release);
        last->next = tail.id;
        last = tail.slot;
        name.remove_prefix(part);
    }
}

void rename_slot(const SlotRef& ref, std::string_view name) {
    constexpr std::size_t most_tails = 12;
    SlotRef tails[most_tails];
    if (name.size() > record::inline_name_size + most_tails * record::tail_size) return;
    const std::string_view first = name.substr(0, record::inline_name_size);
    std::string_view rest = name.substr(first.size());
    const std::size_t count = (rest.size() + record::tail_size - 1) / record::tail_size;
    for (std::size_t i = 0; i < count; ++i) {
        tails[i] = claim_raw(*ref.mapping);
        if (tails[i]) continue;
        while (i-- > 0) free_raw(*ref.mapping, tails[i].id, tails[i].generation);
        return;
    }
    for (std::size_t i = 0; i < count; ++i) {
        const std::string_view part = rest.substr(0, record::tail_size);
        rest.remove_prefix(part.size());
        copy_bytes(reinterpret_cast<char*>(tails[i].slot) + record::tail_offset, part.data(), part.size());
        tails[i].slot->next = i + 1 < count ? tails[i + 1].id : 0;
        tails[i].slot->state.store(word_of(tails[i].generation, State::tail), std::memory_order_release);
    }
    ref.slot->next = count != 0 ? tails[0].id : 0;
    copy_bytes(ref.slot->name, first.data(), first.size());
    ref.slot->name_size = static_cast<std::uint16_t>(name.size());
}

void publish_slot(const SlotRef& ref, State state) {
    const Kind kind = ref.slot->kind;  // once it can be found, others may release it
    ref.slot->state.store(word_of(ref.generation, state), std::memory_order_release);
    if (ref.slot->a.load(std::memory_order_relaxed) != 0) index_slot_by_number(ref);
    if (state == State::live) count_created(*ref.mapping, kind);
}

void publish_intent(const SlotRef& ref, std::uint64_t key) {
    ref.slot->flags.fetch_or(known_by_name, std::memory_order_relaxed);
    ref.slot->state.store(word_of(ref.generation, State::intent), std::memory_order_release);
    insert_entry(head_of(*ref.mapping, record::slot_chunk(ref.id)), key, record::slot_number(ref.id));
}

void index_slot_by_number(const SlotRef& ref) {
    if (ref.slot->state.load(std::memory_order_acquire) >> 8 != ref.generation) return;
    ref.slot->flags.fetch_or(known_by_number, std::memory_order_relaxed);
    insert_entry(head_of(*ref.mapping, record::slot_chunk(ref.id)),
                 key_of(ref.slot->kind, ref.slot->a.load(std::memory_order_relaxed)), record::slot_number(ref.id));
}

void confirm_slot(const SlotRef& ref) {
    const Kind kind = ref.slot->kind;  // of whatever is there now; it counts only if that is ours
    std::uint32_t expected = word_of(ref.generation, State::intent);
    if (ref.slot->state.compare_exchange_strong(expected, word_of(ref.generation, State::live),
                                                std::memory_order_acq_rel)) {
        count_created(*ref.mapping, kind);
    }
}

void release_slot(const SlotRef& ref, std::uint64_t key) {
    std::uint32_t word = ref.slot->state.load(std::memory_order_acquire);
    do {
        if (word >> 8 != ref.generation || !published(state_in(word))) return;
    } while (!ref.slot->state.compare_exchange_weak(word, word_of(ref.generation, State::claimed),
                                                    std::memory_order_acq_rel));
    const Kind kind = ref.slot->kind;
    if (state_in(word) == State::live) {
        ref.mapping->header->counters[static_cast<std::size_t>(kind)].released.fetch_add(1, std::memory_order_relaxed);
    }
    SlotChunk* head = head_of(*ref.mapping, record::slot_chunk(ref.id));
    const std::uint8_t flags = ref.slot->flags.load(std::memory_order_relaxed);
    const std::uint32_t number = record::slot_number(ref.id);
    if ((flags & known_by_name) != 0) remove_entry(head, key != 0 ? key : name_key(*ref.mapping, ref.slot), number);
    if ((flags & known_by_number) != 0) {
        remove_entry(head, key_of(kind, ref.slot->a.load(std::memory_order_relaxed)), number);
    }
    for (SlotId next = ref.slot->next; next != 0;) {
        const SlotRef tail = slot_at(*ref.mapping, next);
        if (!tail) break;
        next = tail.slot->next;
        free_raw(*ref.mapping, tail.id, tail.generation);
    }
    free_raw(*ref.mapping, ref.id, ref.generation);
}

void retire_slot(const SlotRef& ref) {
    const Kind kind = ref.slot->kind;
    std::uint32_t expected = word_of(ref.generation, State::live);
    if (!ref.slot->state.compare_exchange_strong(expected, word_of(ref.generation, State::ended),
                                                 std::memory_order_acq_rel)) {
        return;
    }
    ref.mapping->header->counters[static_cast<std::size_t>(kind)].released.fetch_add(1, std::memory_order_relaxed);
    // Its number may be given to another process from now on.
    SlotChunk* head = head_of(*ref.mapping, record::slot_chunk(ref.id));
    remove_entry(head, key_of(kind, ref.slot->a.load(std::memory_order_relaxed)), record::slot_number(ref.id));
    if (ref.mapping != fresh.own) return;
    // What falls out of the ring of those ended makes room.
    const std::uint32_t at = fresh.history_next.fetch_add(1, std::memory_order_relaxed) % history_size;
    const std::uint64_t old = fresh.history[at].exchange(static_cast<std::uint64_t>(ref.id) << 32 | ref.generation,
                                                         std::memory_order_acq_rel);
    if (old == 0) return;
    SlotRef oldest = slot_at(*ref.mapping, static_cast<SlotId>(old >> 32));
    oldest.generation = static_cast<std::uint32_t>(old);
    if (oldest) release_slot(oldest);
}

SlotRef find_slot(Kind kind, std::string_view name) {
    return find_by_key(key_of_name(kind, name), kind,
                       [name](Mapping& mapping, const Slot* slot) { return same_name(mapping, slot, name); });
}

std::size_t find_made(Kind kind, std::string_view name, std::uint64_t key, SlotRef* found, std::size_t most) {
    std::size_t count = 0;
    const auto same = [name](Mapping& mapping, const Slot* slot) { return same_name(mapping, slot, name); };
    each_by_key(key, kind, same, [&](const SlotRef& ref, State state) {
        // This thread's own intent is one that a cancelled or jumped-out-of call left.
        if (state == State::intent && ref.slot->tid != static_cast<std::uint32_t>(current_tid())) return false;
        found[count++] = ref;
        return count == most;
    });
    return count;
}

SlotRef find_slot(Kind kind, std::uint64_t number) {
    return find_by_key(key_of(kind, number), kind, [number](Mapping&, const Slot* slot) {
        return slot->a.load(std::memory_order_relaxed) == number &&
               static_cast<State>(slot->state.load(std::memory_order_relaxed) & 0xff) != State::ended;
    });
}

}  // namespace leftover
