#include "reporter/judge/stacks.h"

#include <limits>
#include <utility>

namespace leftover::judge {

namespace {

const std::string& text_of(const records::RecordFile& record, record::ItemId id) {
    static const std::string none;
    const auto found = record.strings.find(id);
    return found == record.strings.end() ? none : found->second;
}

int to_line(std::uint32_t line) {
    return line <= static_cast<std::uint32_t>(std::numeric_limits<int>::max())
               ? static_cast<int>(line)
               : 0;
}

void append(std::string& bytes, std::uint64_t number) {
    bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void append(std::string& bytes, const std::string& text) {
    append(bytes, text.size());
    bytes += text;
}

std::string content(const Stack& stack) {
    std::string bytes;
    append(bytes, stack.python.size());
    for (const PythonFrame& frame : stack.python) {
        append(bytes, frame.function);
        append(bytes, frame.file);
        append(bytes, static_cast<std::uint64_t>(frame.line));
    }
    for (const NativeFrame& frame : stack.native) {
        append(bytes, frame.address);
        append(bytes, static_cast<std::uint64_t>(frame.module.value_or(0)));
    }
    return bytes;
}

}  // namespace

int StackTable::module_id(const records::Module& module) {
    const auto [known, is_new] = known_modules_.try_emplace(&module, 0);
    if (!is_new) return known->second;
    const auto [at, is_first] =
        module_ids_.try_emplace({module.path, module.build_id, module.base},
                                static_cast<int>(modules_.size()) + 1);
    if (is_first) modules_.push_back({at->second, module.path, module.build_id, module.base});
    return known->second = at->second;
}

NativeFrame StackTable::frame(const records::RecordFile& record, record::NativeFrame raw) {
    NativeFrame frame;
    frame.offset = record::frame_offset(raw);
    frame.address = frame.offset;
    const auto module = record.modules.find(record::frame_module(raw));
    if (record::frame_module(raw) != record::no_module && module != record.modules.end()) {
        frame.module = module_id(module->second);
        frame.address += module->second.base;
    }
    return frame;
}

std::optional<int> StackTable::add(const records::RecordFile& record, record::ItemId id) {
    const auto known = known_stacks_.find({&record, id});
    if (known != known_stacks_.end()) return known->second;
    const auto found = record.stacks.find(id);
    if (found == record.stacks.end()) return std::nullopt;

    Stack stack;
    for (const records::PythonFrame& raw : found->second.python) {
        stack.python.push_back(
            {text_of(record, raw.function), text_of(record, raw.file), to_line(raw.line)});
    }
    for (const record::NativeFrame raw : found->second.native) {
        stack.native.push_back(frame(record, raw));
    }
    const int next = static_cast<int>(stacks_.size()) + 1;
    const auto [at, is_new] = by_content_.try_emplace(content(stack), next);
    if (is_new) {
        stack.id = next;
        stacks_.push_back(std::move(stack));
    }
    known_stacks_.emplace(std::pair(&record, id), at->second);
    return at->second;
}

void StackTable::move_to(Report& report) {
    report.stacks = std::move(stacks_);
    report.modules = std::move(modules_);
}

}  // namespace leftover::judge
