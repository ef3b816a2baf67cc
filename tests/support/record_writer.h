// Record files by hand, for tests of those who read them. What it writes is what the shim would;
// tests then damage the bytes.
#pragma once

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

#include "preload/record/format.h"

namespace leftover::test {

class RecordWriter {
public:
    // Chunk 0 holds the slots, chunk 1 the arena.
    explicit RecordWriter(std::uint32_t capacity = 128, std::uint32_t arena_size = 32768) {
        const std::uint64_t bitmap = (capacity / 8 + 63) / 64 * 64;
        const std::uint64_t slots_size = 64 + bitmap + capacity * sizeof(record::Slot);
        arena_offset_ = record::header_size + (slots_size + 4095) / 4096 * 4096;
        words_.resize((arena_offset_ + arena_size) / 8);

        record::Header& head = header();
        std::memcpy(head.magic, record::magic, sizeof head.magic);
        head.version = record::version;
        head.byte_order = record::byte_order;
        head.header_size = record::header_size;
        head.slot_size = sizeof(record::Slot);
        head.word_size = sizeof(void*);
        head.pid = 100;
        head.ppid = 99;
        head.start_ticks = 5000;
        head.chunk_count = 2;
        set_chunk(0, record::header_size, arena_offset_ - record::header_size,
                  record::ChunkType::slots);
        set_chunk(1, arena_offset_, arena_size, record::ChunkType::arena);

        record::SlotChunk& slots = slot_chunk();
        slots.capacity = capacity;
        slots.bitmap_offset = 64;
        slots.slots_offset = static_cast<std::uint32_t>(64 + bitmap);
        record::ArenaChunk& items = arena_chunk();
        items.size = arena_size;
        items.first_item = 64;
        items.used = 64;
    }

    record::Header& header() { return at<record::Header>(0); }
    record::SlotChunk& slot_chunk() { return at<record::SlotChunk>(record::header_size); }
    record::ArenaChunk& arena_chunk() { return at<record::ArenaChunk>(arena_offset_); }
    record::Slot& slot_at(std::uint32_t number) {
        return at<record::Slot>(record::header_size + slot_chunk().slots_offset +
                                number * sizeof(record::Slot));
    }
    record::Item& item_at(record::ItemId id) {
        return at<record::Item>(arena_offset_ + record::item_offset(id));
    }
    std::uint64_t arena_offset() const { return arena_offset_; }

    void set_chunk(std::uint32_t number, std::uint64_t offset, std::uint64_t size,
                   record::ChunkType type) {
        record::ChunkEntry& entry = header().chunks[number];
        entry.offset = offset;
        entry.size = size;
        entry.type = static_cast<std::uint32_t>(type);
    }

    template <std::size_t size>
    static void set_text(char (&field)[size], std::string_view text) {
        std::memcpy(field, text.data(), text.size());
    }

    // Arguments, each with its NUL.
    void set_command(std::initializer_list<std::string_view> arguments) {
        std::uint32_t& size = header().command_size;
        for (const std::string_view argument : arguments) {
            std::memcpy(header().command + size, argument.data(), argument.size());
            size += static_cast<std::uint32_t>(argument.size() + 1);
        }
    }

    // Claims the next slot, and more for a long name; the creator is the record's process.
    record::Slot& add_slot(record::Kind kind, record::State state, std::string_view name) {
        record::Slot& slot = claim(state);
        slot.kind = kind;
        slot.pid = header().pid;
        slot.tid = header().pid;
        slot.name_size = static_cast<std::uint16_t>(name.size());
        std::size_t size = std::min(name.size(), record::inline_name_size);
        std::memcpy(slot.name, name.data(), size);
        name.remove_prefix(size);
        for (record::Slot* last = &slot; !name.empty(); name.remove_prefix(size)) {
            last->next = record::slot_id(0, used_slots_);
            last = &claim(record::State::tail);
            size = std::min(name.size(), record::tail_size);
            std::memcpy(reinterpret_cast<char*>(last) + record::tail_offset, name.data(), size);
        }
        return slot;
    }

    record::ItemId add_item(record::ItemType type, const void* payload, std::size_t size) {
        record::ArenaChunk& arena = arena_chunk();
        const std::uint32_t offset = arena.used;
        arena.used = static_cast<std::uint32_t>(offset + sizeof(record::Item) + (size + 7) / 8 * 8);
        const record::ItemId id = record::item_id(1, offset);
        record::Item& item = item_at(id);
        item.size = static_cast<std::uint32_t>(size);
        std::memcpy(reinterpret_cast<char*>(&item + 1), payload, size);
        item.type = static_cast<std::uint32_t>(type);
        return id;
    }

    record::ItemId add_string(std::string_view text) {
        return add_item(record::ItemType::string, text.data(), text.size());
    }

    record::ItemId add_module(std::uint32_t number, std::string_view path, std::uint64_t base,
                              std::initializer_list<std::uint8_t> build_id = {0xab, 0x01}) {
        record::Module module{};
        module.number = number;
        module.path = add_string(path);
        module.base = base;
        module.build_id_size = static_cast<std::uint32_t>(build_id.size());
        std::copy(build_id.begin(), build_id.end(), module.build_id);
        return add_item(record::ItemType::module, &module, sizeof module);
    }

    record::ItemId add_stack(const std::vector<record::NativeFrame>& native,
                             const std::vector<record::PythonFrame>& python = {}) {
        record::Stack head{};
        head.native_count = static_cast<std::uint16_t>(native.size());
        head.python_count = static_cast<std::uint16_t>(python.size());
        std::vector<std::byte> payload(sizeof head + native.size() * sizeof native[0] +
                                       python.size() * sizeof python[0]);
        std::memcpy(payload.data(), &head, sizeof head);
        if (!native.empty()) {
            std::memcpy(payload.data() + sizeof head, native.data(), native.size() * sizeof native[0]);
        }
        if (!python.empty()) {
            std::memcpy(payload.data() + sizeof head + native.size() * sizeof native[0],
                        python.data(), python.size() * sizeof python[0]);
        }
        return add_item(record::ItemType::stack, payload.data(), payload.size());
    }

    std::string_view bytes() const {
        return {reinterpret_cast<const char*>(words_.data()), words_.size() * 8};
    }

    // Only the first `size` bytes, when that is given.
    void save(const std::filesystem::path& file, std::size_t size = std::string_view::npos) const {
        std::ofstream(file, std::ios::binary) << bytes().substr(0, size);
    }

private:
    template <class Value>
    Value& at(std::uint64_t offset) {
        return *reinterpret_cast<Value*>(reinterpret_cast<char*>(words_.data()) + offset);
    }

    record::Slot& claim(record::State state) {
        const std::uint32_t number = used_slots_++;
        const std::uint64_t offset = record::header_size + slot_chunk().bitmap_offset;
        at<std::uint64_t>(offset + number / 64 * 8) |= 1ULL << (number % 64);
        record::Slot& slot = slot_at(number);
        slot.state = 7U << 8 | static_cast<std::uint32_t>(state);
        return slot;
    }

    std::uint64_t arena_offset_ = 0;
    std::uint32_t used_slots_ = 0;
    std::vector<std::uint64_t> words_;
};

}  // namespace leftover::test
