#include "preload/core/arena.h"

#include "preload/core/text.h"

namespace leftover {

using record::ArenaChunk;
using record::ChunkType;
using record::Item;
using record::ItemId;
using record::ItemType;

namespace {

std::atomic<ItemId>* table_of(ArenaChunk* head) {
    return reinterpret_cast<std::atomic<ItemId>*>(reinterpret_cast<char*>(head) + head->table_offset);
}

constexpr std::uint32_t longest_probe = 64;

struct Wanted {
    ItemType type;
    const void* payload;
    std::uint32_t size;
    std::uint64_t hash;
};

bool is(const Item* item, const Wanted& wanted) {
    return item->type.load(std::memory_order_acquire) == static_cast<std::uint32_t>(wanted.type) &&
           item->hash == wanted.hash && item->size == wanted.size &&
           __builtin_memcmp(item + 1, wanted.payload, wanted.size) == 0;
}

const Item* item_at(const Mapping& mapping, ItemId id) {
    const std::uint32_t chunk = record::item_chunk(id);
    if (chunk >= mapping.chunk_count.load(std::memory_order_acquire)) return nullptr;
    return reinterpret_cast<const Item*>(mapping.bases[chunk] + record::item_offset(id));
}

ItemId find_in_chunk(const Mapping& mapping, std::uint32_t chunk, const Wanted& wanted) {
    auto* head = reinterpret_cast<ArenaChunk*>(mapping.bases[chunk]);
    const std::uint32_t mask = head->table_size - 1;
    for (std::uint32_t probe = 0; probe < longest_probe; ++probe) {
        const ItemId id = table_of(head)[(wanted.hash + probe) & mask].load(std::memory_order_acquire);
        if (id == 0) return 0;
        const Item* item = item_at(mapping, id);
        if (item != nullptr && is(item, wanted)) return id;
    }
    return 0;
}

// Adds the item to this chunk; 0 when it has no room left.
ItemId add_to_chunk(const Mapping& mapping, std::uint32_t chunk, const Wanted& wanted) {
    auto* head = reinterpret_cast<ArenaChunk*>(mapping.bases[chunk]);
    const std::uint32_t need = static_cast<std::uint32_t>(sizeof(Item) + (wanted.size + 7) / 8 * 8);
    std::uint32_t at = head->used.load(std::memory_order_relaxed);
    do {
        if (need > head->size - at) return 0;
    } while (!head->used.compare_exchange_weak(at, at + need, std::memory_order_acq_rel));
    auto* item = reinterpret_cast<Item*>(mapping.bases[chunk] + at);
    item->size = wanted.size;
    item->hash = wanted.hash;
    copy_bytes(item + 1, wanted.payload, wanted.size);
    item->type.store(static_cast<std::uint32_t>(wanted.type), std::memory_order_release);
    const ItemId id = record::item_id(chunk, at);
    const std::uint32_t mask = head->table_size - 1;
    for (std::uint32_t probe = 0; probe < longest_probe; ++probe) {
        ItemId empty = 0;
        if (table_of(head)[(wanted.hash + probe) & mask].compare_exchange_strong(empty, id, std::memory_order_acq_rel)) {
            break;
        }
        // Another thread was faster with the same item: its copy is the one to use.
        const Item* other = item_at(mapping, empty);
        if (other != nullptr && is(other, wanted)) return empty;
    }
    return id;
}

}  // namespace

ItemId intern(Mapping& mapping, ItemType type, const void* payload, std::uint32_t size) {
    const Wanted wanted{type, payload, size, hash_bytes(payload, size, static_cast<std::uint64_t>(type))};
    for (;;) {
        const std::uint32_t chunks = mapping.chunk_count.load(std::memory_order_acquire);
        std::uint32_t newest = record::max_chunks;
        for (std::uint32_t c = chunks; c-- > 0;) {
            if (mapping.type(c) != ChunkType::arena) continue;
            if (newest == record::max_chunks) newest = c;
            if (const ItemId id = find_in_chunk(mapping, c, wanted)) return id;
        }
        if (newest == record::max_chunks) return 0;
        if (const ItemId id = add_to_chunk(mapping, newest, wanted)) return id;
        if (!grow(mapping, ChunkType::arena, sizeof(Item) + size + 8)) return 0;
    }
}

ItemId intern_string(Mapping& mapping, std::string_view text) {
    return intern(mapping, ItemType::string, text.data(), static_cast<std::uint32_t>(text.size()));
}

}  // namespace leftover
