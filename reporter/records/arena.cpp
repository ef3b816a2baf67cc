#include "reporter/records/arena.h"

#include <algorithm>
#include <cstring>
#include <unordered_set>

namespace leftover::records {

namespace {

// As record::Item, without its atomic.
struct ItemHead {
    std::uint32_t type = 0;
    std::uint32_t size = 0;
    std::uint64_t hash = 0;
};
static_assert(sizeof(ItemHead) == sizeof(record::Item));

// No record of a program in its right mind is larger; a file that claims more is not worth reading.
constexpr std::uint64_t most_bytes = 1ULL << 30;

std::string hex(const std::uint8_t* bytes, std::size_t size) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < size; ++i) {
        text += digits[bytes[i] >> 4];
        text += digits[bytes[i] & 15];
    }
    return text;
}

class Reader {
public:
    Reader(const File& file, RecordFile& into) : file_(file), into_(into) {}

    void add_chunk(const Chunk& chunk);
    void read();

private:
    struct Arena {
        std::uint32_t chunk = 0;
        std::uint64_t first = 0;  // first item
        std::vector<std::byte> bytes;  // from the chunk's begin up to `used`
    };
    void walk(const Arena& arena, std::uint64_t offset);
    void reach(ItemId id);
    bool parse(ItemId id, const ItemHead& head, const std::byte* payload);
    void parse_module(const std::byte* payload, std::size_t size);
    void parse_stack(ItemId id, const std::byte* payload, std::size_t size);
    void name_modules();

    const File& file_;
    RecordFile& into_;
    std::vector<Arena> arenas_;
    std::unordered_set<ItemId> visited_;
    std::vector<record::Module> modules_;
    std::uint64_t budget_ = 0;  // bytes of payload still to be copied: items may claim to overlap
};

void Reader::add_chunk(const Chunk& chunk) {
    record::ArenaChunk head{};
    if (chunk.size < sizeof head) {
        if (chunk.size > 0) mark_torn(into_, "cut off");
        return;
    }
    file_.read(chunk.offset, static_cast<void*>(&head), sizeof head);
    const std::uint64_t used = std::min<std::uint64_t>(head.used.load(), chunk.size);
    if (used == 0) return;  // given back, or not begun
    if (head.first_item < sizeof head || head.first_item % 8 != 0) {
        return mark_torn(into_, "a damaged arena");
    }
    if (head.used.load() > chunk.size && head.size > chunk.size) mark_torn(into_, "cut off");
    if (budget_ + used > most_bytes) return mark_torn(into_, "an arena too large to read");
    Arena arena;
    arena.chunk = chunk.number;
    arena.first = head.first_item;
    arena.bytes.resize(used);
    arena.bytes.resize(file_.read(chunk.offset, arena.bytes.data(), used));
    budget_ += used;
    arenas_.push_back(std::move(arena));
}

// Reads items from `offset` on, up to the end, one that is known, or one that was torn before its
// size was written.
void Reader::walk(const Arena& arena, std::uint64_t offset) {
    while (offset + sizeof(ItemHead) <= arena.bytes.size()) {
        const ItemId id = record::item_id(arena.chunk, offset);
        if (!visited_.insert(id).second) return;
        ItemHead head;
        std::memcpy(&head, arena.bytes.data() + offset, sizeof head);
        const std::uint64_t payload = offset + sizeof head;
        if (head.type == 0 && head.size == 0) return;
        if (head.size > arena.bytes.size() - payload) return;
        if (head.type != 0 && !parse(id, head, arena.bytes.data() + payload)) return;
        offset = payload + (std::uint64_t{head.size} + 7) / 8 * 8;
    }
}

bool Reader::parse(ItemId id, const ItemHead& head, const std::byte* payload) {
    if (head.size > budget_) {
        mark_torn(into_, "items that overlap");
        return false;
    }
    budget_ -= head.size;
    switch (static_cast<record::ItemType>(head.type)) {
        case record::ItemType::string:
            into_.strings.emplace(
                id, std::string(reinterpret_cast<const char*>(payload), head.size));
            return true;
        case record::ItemType::module: parse_module(payload, head.size); return true;
        case record::ItemType::stack: parse_stack(id, payload, head.size); return true;
        case record::ItemType::none: break;
    }
    mark_torn(into_, "an item of an unknown type");
    return false;
}

void Reader::parse_module(const std::byte* payload, std::size_t size) {
    record::Module module;
    if (size < sizeof module) return mark_torn(into_, "a damaged module");
    std::memcpy(&module, payload, sizeof module);
    modules_.push_back(module);
}

void Reader::parse_stack(ItemId id, const std::byte* payload, std::size_t size) {
    record::Stack head;
    if (size < sizeof head) return mark_torn(into_, "a damaged stack");
    std::memcpy(&head, payload, sizeof head);
    const std::size_t native = head.native_count * sizeof(record::NativeFrame);
    const std::size_t python = head.python_count * sizeof(record::PythonFrame);
    if (size < sizeof head + native + python) return mark_torn(into_, "a damaged stack");

    Stack stack;
    stack.native.resize(head.native_count);
    if (native != 0) std::memcpy(stack.native.data(), payload + sizeof head, native);
    const std::byte* frames = payload + sizeof head + native;
    for (std::size_t i = 0; i < head.python_count; ++i) {
        record::PythonFrame frame;
        std::memcpy(&frame, frames + i * sizeof frame, sizeof frame);
        stack.python.push_back({frame.function, frame.file, frame.line});
    }
    into_.stacks.emplace(id, std::move(stack));
}

// An id that something refers to begins an item, also behind a torn one where the walk ended.
void Reader::reach(ItemId id) {
    if (id == 0 || visited_.contains(id)) return;
    for (const Arena& arena : arenas_) {
        const std::uint64_t offset = record::item_offset(id);
        if (arena.chunk == record::item_chunk(id) && offset >= arena.first) {
            walk(arena, offset);
        }
    }
}

void Reader::name_modules() {
    for (const record::Module& module : modules_) {
        const auto path = into_.strings.find(module.path);
        const std::size_t id_size = std::min<std::size_t>(module.build_id_size, 32);
        into_.modules.try_emplace(
            module.number, Module{path == into_.strings.end() ? std::string{} : path->second,
                                  hex(module.build_id, id_size), module.base});
    }
}

void Reader::read() {
    for (const Arena& arena : arenas_) walk(arena, arena.first);
    for (const Slot& slot : into_.slots) {
        reach(slot.stack);
        // A process that ended with nothing live gives its arena back, though its history stays.
        if (slot.state == record::State::ended) continue;
        if (slot.stack != 0 && !into_.stacks.contains(slot.stack)) {
            mark_torn(into_, "a slot whose stack is damaged");
        }
    }
    std::vector<ItemId> strings;
    for (const Slot& slot : into_.slots) strings.push_back(slot.target);
    for (const auto& [id, stack] : into_.stacks) {
        for (const PythonFrame& frame : stack.python) {
            strings.push_back(frame.function);
            strings.push_back(frame.file);
        }
    }
    for (const record::Module& module : modules_) strings.push_back(module.path);
    for (const ItemId id : strings) reach(id);
    for (Slot& slot : into_.slots) {
        if (const auto target = into_.strings.find(slot.target); target != into_.strings.end()) {
            slot.name = target->second;
        }
    }
    name_modules();
}

}  // namespace

void read_items(const File& file, const std::vector<Chunk>& chunks, RecordFile& into) {
    Reader reader(file, into);
    for (const Chunk& chunk : chunks) {
        if (chunk.type == record::ChunkType::arena) reader.add_chunk(chunk);
    }
    reader.read();
}

}  // namespace leftover::records
