// Folded stacks, as flame graph tools read them: outermost;...;innermost COUNT.
#include <map>
#include <ostream>
#include <string>
#include <unordered_map>

#include <fmt/format.h>

#include "reporter/findings/frames.h"
#include "reporter/model/names.h"
#include "reporter/model/utf8.h"
#include "reporter/render/format.h"

namespace leftover::render {

namespace {

// A ';' parts frames, a line end stacks; the count is behind the last blank, so blanks may stay.
std::string frame_text(std::string_view text) {
    std::string shown = printable(text);
    for (char& c : shown) {
        if (c == ';') c = ',';
    }
    return shown.empty() ? "?" : shown;
}

std::string fold(const std::vector<findings::Frame>& frames) {
    std::string line;
    for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame) {
        if (!line.empty()) line += ';';
        const std::string_view path = frame->python ? frame->file : frame->module;
        const std::string_view name = path.substr(path.rfind('/') + 1);
        if (frame->python) {
            line += frame_text(fmt::format("{}:{}", name, frame->function));
        } else {
            line += frame_text(frame->function.empty() ? name : frame->function);
        }
    }
    return line;
}

}  // namespace

void folded(const Report& report, const Options& options, std::ostream& out) {
    const findings::FrameReader reader(report);
    std::unordered_map<int, std::string> stacks;
    for (const Stack& stack : report.stacks) stacks.emplace(stack.id, fold(reader.frames(stack)));
    std::map<std::pair<std::string_view, Kind>, std::uint64_t> counts;
    for (const Leak& leak : report.leaks) {
        const bool excused = leak.status == Status::suppressed || leak.status == Status::baseline;
        if ((excused && !options.excused) || (leak.severity == Severity::note && !options.notes)) continue;
        const auto at = leak.stack ? stacks.find(*leak.stack) : stacks.end();
        ++counts[{at == stacks.end() ? std::string_view() : at->second, leak.kind}];
    }
    for (const auto& [key, count] : counts) {
        // What was left is the innermost box.
        out << (key.first.empty() ? "(not recorded)" : key.first) << ";[" << name_of(key.second) << "] "
            << count << '\n';
    }
}

}  // namespace leftover::render
