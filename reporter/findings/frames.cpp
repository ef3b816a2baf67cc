#include "reporter/findings/frames.h"

#include <algorithm>

#include <fmt/format.h>

#include "reporter/model/utf8.h"

namespace leftover::findings {

namespace {

std::string_view base_name(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

// 3.12 made them part of their function.
bool is_comprehension(const Frame& frame) {
    return frame.python && (frame.function == "<listcomp>" || frame.function == "<dictcomp>" ||
                            frame.function == "<setcomp>");
}

Frame python(const PythonFrame& frame) {
    Frame view;
    view.function = frame.function;
    view.file = frame.file;
    view.line = frame.line;
    view.owner = owner_of_python(frame.file);
    view.python = true;
    return view;
}

// The end of the name proper: before the parameters, which end the name but for "const" and the like.
std::size_t end_of_name(std::string_view name) {
    const auto close = name.rfind(')');
    if (close == name.npos) return name.size();
    int depth = 0;
    for (std::size_t at = close + 1; at-- > 0;) {
        if (name[at] == ')') ++depth;
        if (name[at] == '(' && --depth == 0) {
            // "(anonymous namespace)::f" has none, and operator() is a name.
            if (name.substr(close + 1).starts_with("::")) return name.size();
            const bool is_call = at >= 8 && name.substr(at - 8, 8) == "operator" && close == at + 1;
            return is_call ? close + 1 : at;
        }
    }
    return name.size();
}

// The beginning behind a return type: the last blank outside of all brackets.
std::size_t begin_of_name(std::string_view name) {
    if (name.find("operator") != name.npos) return 0;
    int depth = 0;
    std::size_t begin = 0;
    for (std::size_t at = 0; at < name.size(); ++at) {
        if (name[at] == '(' || name[at] == '<' || name[at] == '{') ++depth;
        if (name[at] == ')' || name[at] == '>' || name[at] == '}') --depth;
        if (name[at] == ' ' && depth == 0) begin = at + 1;
    }
    return begin;
}

std::string_view bare(std::string_view name) {
    // <impl Trait for T>::f and <T as Trait>::f are Rust's own ways.
    if (name.starts_with('<')) return name;
    name = name.substr(0, end_of_name(name));
    return name.substr(begin_of_name(name));
}

}  // namespace

FrameReader::FrameReader(const Report& report) {
    for (const Module& module : report.modules) {
        modules_.emplace(module.id, Known{module.path, owner_of(module.path)});
    }
}

Frame FrameReader::native(const NativeFrame& frame) const {
    Frame view;
    view.function = frame.function;
    view.file = frame.file;
    view.line = frame.line;
    view.offset = frame.offset;
    view.inlined = frame.inlined;
    if (const auto at = frame.module ? modules_.find(*frame.module) : modules_.end();
        at != modules_.end()) {
        view.module = at->second.path;
        view.owner = at->second.owner;
    }
    if (view.owner == Owner::user && is_library_code(frame.function, frame.file)) {
        view.owner = Owner::system;
    }
    if (view.owner == Owner::user && is_start_code(frame.function)) view.owner = Owner::runtime;
    return view;
}

std::vector<Frame> FrameReader::frames(const Stack& stack) const {
    std::vector<Frame> all;
    all.reserve(stack.native.size() + stack.python.size());
    for (const NativeFrame& frame : stack.native) {
        Frame view = native(frame);
        if (!stack.python.empty() && view.owner == Owner::interpreter) break;
        all.push_back(view);
    }
    for (const PythonFrame& frame : stack.python) all.push_back(python(frame));
    return all;
}

std::vector<Frame> FrameReader::all_frames(const Stack& stack) const {
    std::vector<Frame> all;
    all.reserve(stack.native.size() + stack.python.size());
    for (const NativeFrame& frame : stack.native) all.push_back(native(frame));
    for (const PythonFrame& frame : stack.python) all.push_back(python(frame));
    return all;
}

bool is_telling(const Frame& frame) {
    return (frame.owner == Owner::user || frame.owner == Owner::system) && !is_comprehension(frame);
}

std::vector<Frame> telling_frames(const std::vector<Frame>& frames) {
    std::vector<Frame> telling;
    for (const Owner owner : {Owner::user, Owner::system}) {
        std::copy_if(frames.begin(), frames.end(), std::back_inserter(telling),
                     [owner](const Frame& frame) {
                         return frame.owner == owner && is_telling(frame);
                     });
        if (!telling.empty()) break;
    }
    return telling;
}

std::string identity_of(const Frame& frame) {
    if (frame.python) return fmt::format("{}:{}", base_name(frame.file), frame.function);
    if (frame.function.empty()) return std::string(base_name(frame.module));
    return std::string(bare(frame.function));
}

std::string words_of(const Frame& frame) {
    if (frame.function.empty()) {
        if (frame.module.empty()) return "unknown code";
        return fmt::format("{}+{:#x}", printable(base_name(frame.module)), frame.offset);
    }
    std::string words = printable(frame.function);
    if (!frame.file.empty()) {
        words += " at " + printable(frame.file);
        if (frame.line > 0) words += fmt::format(":{}", frame.line);
    } else if (!frame.module.empty() && frame.owner != Owner::shim) {
        words += " in " + printable(base_name(frame.module));
    }
    return words;
}

}  // namespace leftover::findings
