#include "reporter/render/stack_text.h"

#include <algorithm>
#include <ostream>

#include <fmt/format.h>

#include "reporter/model/utf8.h"
#include "reporter/render/words.h"

namespace leftover::render {

namespace {

constexpr std::size_t most_native = 16;
constexpr std::size_t most_python = 64;

std::string with_line(const std::string& file, int line) {
    return line > 0 ? fmt::format("{}:{}", printable(file), line) : printable(file);
}

std::string module_name(const Module* module) {
    return module ? printable(module->path.substr(module->path.rfind('/') + 1)) : "unknown code";
}

}  // namespace

StackText::StackText(const Report& report, const Options& options)
    : options_(options), paint_(options.colour) {
    for (const Module& module : report.modules) {
        modules_.emplace(module.id, Known{&module, owner_of(module.path)});
    }
}

void StackText::add_native(const Stack& stack, std::vector<Line>& lines) const {
    std::string callee;
    bool found_own = false;
    std::size_t left_out = 0;
    for (const NativeFrame& frame : stack.native) {
        const auto at = frame.module ? modules_.find(*frame.module) : modules_.end();
        const bool known = at != modules_.end();
        const Owner owner = known ? at->second.owner : Owner::user;
        const Module* module = known ? at->second.module : nullptr;
        const bool is_call = &frame == &stack.native.front();
        if (owner == Owner::shim && !is_call && frame.function.empty()) continue;
        if (owner == Owner::runtime || owner == Owner::interpreter) continue;
        // _start has no line and tells nobody anything; templates of the C++ library are compiled
        // into the user's module.
        if (frame.function == "_start" || frame.file.starts_with("/usr/include/c++/")) continue;
        Line line;
        line.callee = callee;
        line.own = owner == Owner::user;
        if (frame.function.empty()) {
            if (owner == Owner::shim) continue;
            line.place = fmt::format("{}+{:#x}", module_name(module), frame.offset);
        } else {
            line.function = printable(frame.function);
            if (!frame.file.empty()) {
                line.place = "at " + with_line(frame.file, frame.line);
            } else if (owner != Owner::shim) {
                line.place = "in " + module_name(module);
            }
            if (frame.inlined) line.place += " (inlined)";
        }
        line.file = frame.file;
        line.line = frame.line;
        callee = frame.function;
        if (lines.size() < most_native) {
            lines.push_back(std::move(line));
        } else {
            ++left_out;
        }
        found_own = found_own || owner == Owner::user;
        // Calls inlined into one another are one frame.
        if (found_own && !frame.inlined && !stack.python.empty()) break;
    }
    if (left_out > 0) lines.push_back({fmt::format("... {} more", left_out), {}, false, {}, 0, {}});
}

void StackText::add_python(const Stack& stack, std::vector<Line>& lines) const {
    std::size_t shown = 0;
    std::size_t left_out = 0;
    std::string callee = lines.empty() ? std::string() : lines.back().function;
    for (const PythonFrame& frame : stack.python) {
        if (is_import_machinery(frame)) continue;
        if (shown == most_python) {
            ++left_out;
            continue;
        }
        ++shown;
        Line line;
        line.function = printable(frame.function);
        line.place = "at " + with_line(frame.file, frame.line);
        line.own = !is_library_file(frame.file);
        line.file = frame.file;
        line.line = frame.line;
        line.callee = std::move(callee);
        callee = frame.function;
        lines.push_back(std::move(line));
    }
    if (left_out > 0) lines.push_back({fmt::format("... {} more", left_out), {}, false, {}, 0, {}});
}

void StackText::write(const Line& line, const std::string& folder, Time when, std::ostream& out) {
    constexpr std::string_view indent = "    ";
    const std::size_t columns = options_.width > 0 ? static_cast<std::size_t>(options_.width) : 100;
    const std::string function = shorten(line.function, std::max<std::size_t>(columns - 8, 40));
    const std::string_view space = function.empty() || line.place.empty() ? "" : " ";
    if (line.own) {
        out << indent << paint_.bold(function) << space << line.place << '\n';
    } else {
        out << indent << function << space << paint_.dim(line.place) << '\n';
        return;
    }
    auto source = sources_.line(line.file, folder, line.line, when);
    if (!source) return;
    source->erase(0, source->find_first_not_of(' '));
    if (source->empty()) return;
    *source = shorten(std::move(*source), columns - std::min<std::size_t>(columns, 8));
    out << indent << "  " << paint_.mark(">") << ' ' << *source << '\n';
    if (const auto mark = find_call(*source, line.callee)) {
        out << indent << "    " << std::string(mark->column, ' ')
            << paint_.mark(std::string(mark->length, '^')) << '\n';
    }
}

void StackText::write(const Stack& stack, const std::string& folder, Time when, std::ostream& out) {
    std::vector<Line> lines;
    add_native(stack, lines);
    add_python(stack, lines);
    for (const Line& line : lines) write(line, folder, when, out);
}

}  // namespace leftover::render
