#include "reporter/findings/findings.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include "reporter/findings/fingerprint.h"
#include "reporter/model/utf8.h"

namespace leftover::findings {

namespace {

bool is_excused(Status status) {
    return status == Status::suppressed || status == Status::baseline;
}

// Fingerprint, kind and excuse together; a view of the fingerprint, which lives in the report.
struct Key {
    std::string_view fingerprint;
    Kind kind;
    Status excuse;
    int stack;  // where there is no fingerprint
    bool operator==(const Key&) const = default;
};

struct HashKey {
    std::size_t operator()(const Key& key) const {
        return std::hash<std::string_view>()(key.fingerprint) * 31 +
               static_cast<std::size_t>(key.kind) * 7 + static_cast<std::size_t>(key.excuse) +
               static_cast<std::size_t>(key.stack) * 131;
    }
};

}  // namespace

Location location_of(const FrameReader& reader, const Stack& stack) {
    const std::vector<Frame> frames = reader.frames(stack);
    Location location;
    const auto telling = telling_frames(frames);
    const Frame* top = telling.empty() ? nullptr : &telling.front();
    if (top == nullptr) {
        const auto named = std::find_if(frames.begin(), frames.end(), [](const Frame& frame) {
            return !frame.function.empty();
        });
        if (named == frames.end()) return location;
        top = &*named;
    }
    location.function = top->function;
    location.is_source = !top->file.empty();
    location.file = location.is_source ? top->file : top->module;
    location.line = top->line;
    return location;
}

std::vector<Finding> find(const Report& report, const Selection& selection) {
    std::unordered_map<int, const Stack*> stacks;
    for (const Stack& stack : report.stacks) stacks.emplace(stack.id, &stack);
    const auto stack_of = [&stacks](const Leak& leak) -> const Stack* {
        const auto at = leak.stack ? stacks.find(*leak.stack) : stacks.end();
        return at == stacks.end() ? nullptr : at->second;
    };

    std::vector<Finding> found;
    std::vector<std::unordered_set<std::string_view>> sessions;
    std::unordered_map<Key, std::size_t, HashKey> known;
    for (const Leak& leak : report.leaks) {
        if (is_excused(leak.status) && !selection.excused) continue;
        if (leak.severity == Severity::note && !selection.notes) continue;
        const Key key{leak.fingerprint, leak.kind,
                      is_excused(leak.status) ? leak.status : Status::leaked,
                      leak.fingerprint.empty() ? leak.stack.value_or(0) : 0};
        const auto [at, is_new] = known.try_emplace(key, found.size());
        if (is_new) {
            found.push_back({leak.fingerprint, leak.kind, leak.severity, nullptr, {}, {}, {}, 0});
            sessions.emplace_back();
        }
        Finding& finding = found[at->second];
        finding.severity = std::max(finding.severity, leak.severity);
        if (finding.stack == nullptr) finding.stack = stack_of(leak);
        if (finding.leaks.empty() || finding.leaks.back()->session != leak.session) {
            sessions[at->second].insert(leak.session);
        }
        finding.leaks.push_back(&leak);
    }

    const FrameReader reader(report);
    for (std::size_t i = 0; i < found.size(); ++i) {
        Finding& finding = found[i];
        finding.sessions = sessions[i].size();
        if (finding.stack != nullptr) finding.location = location_of(reader, *finding.stack);
        finding.pattern = pattern_of(*finding.leaks.front(), finding.stack);
    }
    std::stable_sort(found.begin(), found.end(), [](const Finding& a, const Finding& b) {
        if (a.severity != b.severity) return a.severity > b.severity;
        return a.leaks.size() > b.leaks.size();
    });
    return found;
}

Status excuse_of(const Finding& finding) {
    const Status status = finding.leaks.front()->status;
    return is_excused(status) ? status : Status::leaked;
}

std::string words_of(const Location& location) {
    if (location.function.empty() && location.file.empty()) return "-";
    std::string words = printable(location.function);
    if (!location.file.empty()) {
        if (!words.empty()) words += location.is_source ? " at " : " in ";
        words += printable(location.file);
        if (location.line > 0) words += fmt::format(":{}", location.line);
    }
    return words;
}

std::string portable_file(const Location& location, std::string_view folder) {
    std::string_view file = location.file;
    while (folder.ends_with('/')) folder.remove_suffix(1);
    if (!folder.empty() && file.starts_with(folder) && file.substr(folder.size()).starts_with('/')) {
        file.remove_prefix(folder.size() + 1);
    } else if (file.starts_with('/')) {
        file = file.substr(file.rfind('/') + 1);
    }
    while (file.starts_with("./")) file.remove_prefix(2);
    return printable(file);
}

}  // namespace leftover::findings
