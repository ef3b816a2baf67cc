#include "reporter/render/groups.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <unordered_map>

#include <fmt/format.h>

namespace leftover::render {

namespace {

using Modules = std::unordered_map<int, const Module*>;

// The stack as text, without what differs from process to process.
std::string place_of(const Stack& stack, const Modules& modules) {
    std::string place;
    for (const PythonFrame& frame : stack.python) {
        place += fmt::format("{}\n{}\n{}\n", frame.function, frame.file, frame.line);
    }
    for (const NativeFrame& frame : stack.native) {
        const auto module = frame.module ? modules.find(*frame.module) : modules.end();
        place += fmt::format("{}\n{:x}\n{}\n", module == modules.end() ? "" : module->second->path,
                             frame.offset, frame.function);
    }
    return place;
}

}  // namespace

std::vector<Group> group_leaks(const Report& report, bool notes) {
    Modules modules;
    for (const Module& module : report.modules) modules.emplace(module.id, &module);

    // Stacks to numbers of places; 0 is no place.
    std::unordered_map<std::string, std::size_t> places;
    std::unordered_map<int, std::pair<const Stack*, std::size_t>> place_numbers;
    for (const Stack& stack : report.stacks) {
        const auto number = places.try_emplace(place_of(stack, modules), places.size() + 1).first;
        place_numbers.emplace(stack.id, std::pair(&stack, number->second));
    }

    std::vector<Group> groups;
    std::map<std::tuple<Kind, Severity, std::size_t>, std::size_t> known;
    for (const Leak& leak : report.leaks) {
        if (leak.status == Status::suppressed || leak.status == Status::baseline) continue;
        if (leak.severity == Severity::note && !notes) continue;
        const Stack* stack = nullptr;
        std::size_t place = 0;
        if (leak.stack) {
            if (const auto at = place_numbers.find(*leak.stack); at != place_numbers.end()) {
                std::tie(stack, place) = at->second;
            }
        }
        const auto [at, is_new] =
            known.try_emplace(std::tuple(leak.kind, leak.severity, place), groups.size());
        if (is_new) groups.push_back({leak.kind, leak.severity, stack, {}});
        groups[at->second].leaks.push_back(&leak);
    }
    std::stable_sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) {
        if (a.severity != b.severity) return a.severity > b.severity;
        return a.leaks.size() > b.leaks.size();
    });
    return groups;
}

}  // namespace leftover::render
