#include "preload/hand/stack_table.h"

#include "preload/core/text.h"
#include "preload/hand/evidence.h"

namespace leftover::hand {

namespace {

constexpr std::size_t longest_stack = 16384;
constexpr std::size_t longest_string = 4096;

// Everything here is done under the lock of the one who ends.
alignas(8) char stack_buffer[longest_stack];
char string_buffer[longest_string];

std::uint64_t key_of(const Record& record, std::uint32_t number) {
    return static_cast<std::uint64_t>(record.number + 1) << 32 | number;
}

}  // namespace

const RecordBytes& StackTable::bytes_of(const Record& record) {
    if (opened_ != &record) {
        bytes_.close();
        open_record(record, bytes_);
        opened_ = &record;
    }
    return bytes_;
}

std::uint32_t StackTable::stack(const Record& record, record::ItemId id) {
    record::Stack head;
    bool is_new = false;
    if (id == 0) return 0;
    if (const std::uint32_t* known = stack_numbers_.find(key_of(record, id))) return *known;
    if (read_item(bytes_of(record), record, id, record::ItemType::stack, &head, sizeof head) <
        sizeof head) {
        return 0;
    }
    if (!stacks_.add(pool_, {&record, id})) return 0;
    const auto number = static_cast<std::uint32_t>(stacks_.size());
    stack_numbers_.enter(pool_, key_of(record, id), number, is_new);
    return number;
}

std::string_view StackTable::string(const Record& record, record::ItemId id) {
    const std::size_t size = read_item(bytes_of(record), record, id, record::ItemType::string,
                                       string_buffer, sizeof string_buffer);
    return {string_buffer, size < sizeof string_buffer ? size : sizeof string_buffer};
}

std::uint32_t StackTable::module(const Record& record, record::NativeFrame frame,
                                 std::uint64_t& base) {
    const std::uint32_t number = record::frame_module(frame);
    if (number == record::no_module) return 0;
    bool is_new = false;
    std::uint32_t* const place = module_numbers_.enter(pool_, key_of(record, number), 0, is_new);
    if (place == nullptr) return 0;
    if (is_new) {
        record::Module raw;
        if (!find_module(bytes_of(record), record, number, raw)) return 0;
        const std::size_t id_size = raw.build_id_size <= 32 ? raw.build_id_size : 0;
        const std::string_view path = string(record, raw.path);
        const std::uint64_t content =
            hash_bytes(raw.build_id, id_size, hash_bytes(path.data(), path.size(), raw.base));
        bool is_other = false;
        const std::uint32_t* const same = same_modules_.enter(
            pool_, content, static_cast<std::uint32_t>(modules_.size() + 1), is_other);
        if (same == nullptr) return 0;
        if (is_other) {
            const auto* id = reinterpret_cast<const char*>(raw.build_id);
            if (!modules_.add(pool_, {pool_.keep(path), raw.base, pool_.keep({id, id_size})}))
                return 0;
        }
        *place = *same;
    }
    if (*place != 0) base = modules_[*place - 1].base;
    return *place;
}

void StackTable::write_native(Json& json, const Record& record, record::NativeFrame frame) {
    std::uint64_t base = 0;
    const std::uint32_t number = module(record, frame, base);
    json.begin('{');
    json.key("address").hex(base + record::frame_offset(frame));
    json.key("module").number_or_null(number);
    json.key("offset").hex(record::frame_offset(frame));
    json.key("function").null();
    json.key("file").null();
    json.key("line").null();
    json.key("inlined").truth(false);
    json.end('}');
}

void StackTable::write_python(Json& json, const Record& record, const record::PythonFrame& frame) {
    json.begin('{');
    json.key("function").text(string(record, frame.function));
    json.key("file").text(string(record, frame.file));
    json.key("line").number_or_null(frame.line <= INT32_MAX ? frame.line : 0);
    json.end('}');
}

void StackTable::write_stack(Json& json, std::uint32_t number, const Entry& entry) {
    record::Stack head = {};
    const std::size_t size = read_item(bytes_of(*entry.record), *entry.record, entry.id,
                                       record::ItemType::stack, stack_buffer, sizeof stack_buffer);
    if (size >= sizeof head) copy_bytes(&head, stack_buffer, sizeof head);
    const std::size_t native = head.native_count * sizeof(record::NativeFrame);
    const std::size_t python = head.python_count * sizeof(record::PythonFrame);
    const std::size_t got = size < sizeof stack_buffer ? size : sizeof stack_buffer;
    if (sizeof head + native + python > got) head = {};

    json.line().begin('{');
    json.key("id").number(number);
    json.key("python").begin('[');
    for (std::size_t i = 0; i < head.python_count; ++i) {
        record::PythonFrame frame;
        copy_bytes(&frame, stack_buffer + sizeof head + native + i * sizeof frame, sizeof frame);
        write_python(json, *entry.record, frame);
    }
    json.end(']');
    json.key("native").begin('[');
    for (std::size_t i = 0; i < head.native_count; ++i) {
        record::NativeFrame frame;
        copy_bytes(&frame, stack_buffer + sizeof head + i * sizeof frame, sizeof frame);
        write_native(json, *entry.record, frame);
    }
    json.end(']');
    json.end('}');
}

void StackTable::write_stacks(Json& json) {
    for (std::size_t i = 0; i < stacks_.size(); ++i) {
        write_stack(json, static_cast<std::uint32_t>(i + 1), stacks_[i]);
    }
}

void StackTable::write_modules(Json& json) {
    for (std::size_t i = 0; i < modules_.size(); ++i) {
        char hex[80];
        Text id(hex, sizeof hex);
        for (const char byte : modules_[i].build_id) {
            id.number(static_cast<unsigned char>(byte) >> 4, 16).number(byte & 15, 16);
        }
        json.line().begin('{');
        json.key("id").number(i + 1);
        json.key("path").text(modules_[i].path);
        json.key("build_id").text_or_null(id.view());
        json.key("base").hex(modules_[i].base);
        json.end('}');
    }
}

}  // namespace leftover::hand
