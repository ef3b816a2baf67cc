#include "reporter/model/shared_text.h"

#include <array>
#include <functional>
#include <mutex>
#include <unordered_set>

namespace leftover {

namespace {

struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

// One part of all texts, so that readers of many files do not wait for one another.
struct Part {
    std::mutex mutex;
    std::unordered_set<std::string, Hash, std::equal_to<>> texts;
};

}  // namespace

const std::string& SharedText::nothing() {
    static const std::string empty;
    return empty;
}

const std::string& SharedText::kept(std::string_view text) {
    constexpr std::size_t parts = 64;
    // Never destroyed: others' static objects may still hold texts.
    static auto& all = *new std::array<Part, parts>();
    Part& part = all[Hash()(text) % parts];
    const std::lock_guard lock(part.mutex);
    const auto found = part.texts.find(text);
    return found != part.texts.end() ? *found : *part.texts.emplace(text).first;
}

}  // namespace leftover
