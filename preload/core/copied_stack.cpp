#include "preload/core/copied_stack.h"

#include "preload/core/arena.h"
#include "preload/core/modules.h"
#include "preload/core/text.h"

namespace leftover {

using record::ArenaChunk;
using record::ChunkType;
using record::Item;
using record::ItemId;
using record::ItemType;

namespace {

constexpr std::size_t most_words = 512;

// The payload of an item of that type, null when `id` is none.
const char* payload_of(const Mapping& from, ItemId id, ItemType type, std::uint32_t& size) {
    const std::uint32_t chunk = record::item_chunk(id);
    if (id == 0 || chunk >= from.chunk_count.load(std::memory_order_acquire) || from.type(chunk) != ChunkType::arena ||
        record::item_offset(id) + sizeof(Item) > from.size(chunk)) {
        return nullptr;
    }
    const auto* item = reinterpret_cast<const Item*>(from.bases[chunk] + record::item_offset(id));
    if (item->type.load(std::memory_order_acquire) != static_cast<std::uint32_t>(type)) return nullptr;
    size = item->size;
    return reinterpret_cast<const char*>(item + 1);
}

// Where that module's own addresses begin; false when it is not there.
bool base_of(const Mapping& from, std::uint32_t number, std::uint64_t& base) {
    for (std::uint32_t c = 0; c < from.chunk_count.load(std::memory_order_acquire); ++c) {
        if (from.type(c) != ChunkType::arena) continue;
        const auto* head = reinterpret_cast<const ArenaChunk*>(from.bases[c]);
        const std::uint32_t used = head->used.load(std::memory_order_acquire);
        for (std::uint32_t at = head->first_item; at + sizeof(Item) <= used;) {
            const auto* item = reinterpret_cast<const Item*>(from.bases[c] + at);
            const std::uint32_t type = item->type.load(std::memory_order_acquire);
            if (type == 0) break;  // being written, and what is behind it as well
            const auto* module = reinterpret_cast<const record::Module*>(item + 1);
            if (type == static_cast<std::uint32_t>(ItemType::module) && module->number == number) {
                base = module->base;
                return true;
            }
            at += static_cast<std::uint32_t>(sizeof(Item) + (item->size + 7) / 8 * 8);
        }
    }
    return false;
}

ItemId copy_string(const Mapping& from, ItemId id, Mapping& to) {
    std::uint32_t size = 0;
    const char* const text = payload_of(from, id, ItemType::string, size);
    return text != nullptr ? intern_string(to, {text, size}) : 0;
}

}  // namespace

ItemId copy_stack(const Mapping& from, ItemId id, Mapping& to) {
    std::uint32_t size = 0;
    const char* const payload = payload_of(from, id, ItemType::stack, size);
    struct {
        record::Stack head;
        std::uint64_t words[most_words];
    } stack;
    if (payload == nullptr || size < sizeof stack.head || size > sizeof stack) return 0;
    copy_bytes(&stack, payload, size);
    const std::uint32_t native = stack.head.native_count;
    const std::uint32_t python = stack.head.python_count;
    if (sizeof stack.head + native * sizeof(record::NativeFrame) + python * sizeof(record::PythonFrame) != size) return 0;
    for (std::uint32_t i = 0; i < native; ++i) {
        const record::NativeFrame frame = stack.words[i];
        std::uint64_t base = 0;
        if (record::frame_module(frame) == record::no_module) continue;
        if (!base_of(from, record::frame_module(frame), base)) return 0;
        stack.words[i] = to_frame(to, base + record::frame_offset(frame));
    }
    for (std::uint32_t i = 0; i < python; ++i) {
        record::PythonFrame frame;
        char* const at = reinterpret_cast<char*>(stack.words + native) + i * sizeof frame;
        copy_bytes(&frame, at, sizeof frame);
        frame.function = copy_string(from, frame.function, to);
        frame.file = copy_string(from, frame.file, to);
        copy_bytes(at, &frame, sizeof frame);
    }
    return intern(to, ItemType::stack, &stack, size);
}

}  // namespace leftover
