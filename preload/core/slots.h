// Claiming, finding and freeing the slots of live resources. Lock-free in shared memory: threads,
// signal handlers and, in an inherited record, other processes may do it at once, and a kill at any
// instruction leaves the file readable. Any context but a vforked child.
#pragma once

#include <cstdint>
#include <string_view>

#include "preload/core/mapping.h"

namespace leftover {

// A slot as it was when we looked: the generation tells whether it is still that resource's.
struct SlotRef {
    Mapping* mapping = nullptr;
    record::Slot* slot = nullptr;
    record::SlotId id = 0;
    std::uint32_t generation = 0;

    explicit operator bool() const { return slot != nullptr; }
};

// Takes a free slot and fills in kind, creator, time and thread. Empty when there is no room: the
// record's `lost` then counts one more.
SlotRef claim_slot(record::Kind kind);
// The same in that mapping, as far as it has room. `lost` is not touched.
SlotRef claim_slot_in(Mapping& mapping, record::Kind kind);
// Writes the slot's name, over further slots if it is long. Before publishing.
void name_slot(const SlotRef& ref, std::string_view name);
// Another name for a slot that is published already and has a short one. Keeps that, and `lost` as it is,
// where there is no room for the new one: in another process's record, which cannot be made longer.
void rename_slot(const SlotRef& ref, std::string_view name);

// Whether there is little room but what the next claim_slot() may add. Children cannot add any.
bool is_nearly_full(const Mapping& mapping);

// What a name is found by; never 0 but by chance.
std::uint64_t key_of_name(record::Kind kind, std::string_view name);

// Makes a claimed slot visible to readers, as intent or live, and findable by its `a`.
void publish_slot(const SlotRef& ref, record::State state);
// The same as an intent that is findable by its name, of which this is the key.
void publish_intent(const SlotRef& ref, std::uint64_t key);
// An intent came true. Nothing happens when the slot is another's by now.
void confirm_slot(const SlotRef& ref);
// Makes a slot findable by its `a` as well, once that is known. Doing it twice does no harm.
void index_slot_by_number(const SlotRef& ref);

// The resource is gone: the slot is free again. Nothing happens when the slot is another's by now. The key of its
// name, if that is at hand; else 0.
void release_slot(const SlotRef& ref, std::uint64_t key = 0);

// The published slot of that kind and name (or number), newest record first; empty when there is none.
SlotRef find_slot(record::Kind kind, std::string_view name);
SlotRef find_slot(record::Kind kind, std::uint64_t number);
// Those of that kind and name whose making is over: not the intents of other threads. Several, where others
// removed what this process then made again. `key` is the name's. Returns how many were stored, `most` at most.
std::size_t find_made(record::Kind kind, std::string_view name, std::uint64_t key, SlotRef* found, std::size_t most);

// The slot of that id in this mapping, whatever it holds.
SlotRef slot_at(Mapping& mapping, record::SlotId id);

// A child that was waited for: its slot stays readable for a while, then makes room for later ones.
void retire_slot(const SlotRef& ref);

// Calls `visit(SlotRef)` for each published slot of the mapping.
template <class Visit>
void each_slot(Mapping& mapping, Visit visit) {
    const std::uint32_t chunks = mapping.chunk_count.load(std::memory_order_acquire);
    for (std::uint32_t c = 0; c < chunks; ++c) {
        if (mapping.type(c) != record::ChunkType::slots) continue;
        const auto* head = reinterpret_cast<const record::SlotChunk*>(mapping.bases[c]);
        for (std::uint32_t n = 0; n < head->capacity; ++n) {
            SlotRef ref = slot_at(mapping, record::slot_id(c, n));
            const auto state = static_cast<record::State>(ref.slot->state.load(std::memory_order_acquire) & 0xff);
            if (state == record::State::intent || state == record::State::live || state == record::State::ended) {
                visit(ref);
            }
        }
    }
}

}  // namespace leftover
