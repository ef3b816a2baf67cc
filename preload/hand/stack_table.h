// The stacks and modules of a report: those that leaks use, each once, numbered from 1. Stacks are
// read from their records as they are written. Any context; under the lock of the one who ends.
#pragma once

#include <cstdint>
#include <string_view>

#include "preload/core/law.h"
#include "preload/hand/json.h"
#include "preload/hand/record.h"

namespace leftover::hand {

class StackTable {
public:
    explicit StackTable(Pool& pool) : pool_(pool) {}

    // The number of a record's stack; 0 when there is none.
    std::uint32_t stack(const Record& record, record::ItemId id);
    // The number of the module that a frame lies in; 0 when that is not known. `base` gets its
    // base.
    std::uint32_t module(const Record& record, record::NativeFrame frame, std::uint64_t& base);

    void write_stacks(Json& json);
    // After write_stacks: its frames name modules.
    void write_modules(Json& json);

private:
    struct Entry {
        const Record* record;
        record::ItemId id;
    };
    struct Module {
        std::string_view path;
        std::uint64_t base;
        std::string_view build_id;
    };
    const RecordBytes& bytes_of(const Record& record);
    std::string_view string(const Record& record, record::ItemId id);
    void write_stack(Json& json, std::uint32_t number, const Entry& entry);
    void write_native(Json& json, const Record& record, record::NativeFrame frame);
    void write_python(Json& json, const Record& record, const record::PythonFrame& frame);

    Pool& pool_;
    List<Entry> stacks_;
    List<Module> modules_;
    Table stack_numbers_;   // by record and item
    Table module_numbers_;  // by record and the number there
    Table same_modules_;    // by content
    RecordBytes bytes_;
    const Record* opened_ = nullptr;
};

}  // namespace leftover::hand
