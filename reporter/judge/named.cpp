#include "reporter/judge/named.h"

#include <sys/stat.h>

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "reporter/records/number.h"

namespace leftover::judge {

namespace {

struct Group {
    Place place;
    std::vector<Candidate> candidates;
};

// A reboot clears /dev/shm and its numbers begin anew, so that a stranger's file may bear the same
// name and inode. What is left from before was born when it was recorded.
bool survived_reboot(const Candidate& candidate, const kernel::FileFacts& facts) {
    constexpr Time longest_call = 60'000'000'000;
    return candidate.source->session->same_boot ||
           facts.born <= candidate.slot->created_at + longest_call;
}

// What decides between several: a file that is there was made by the call that was over last. Where that
// was not written down, the inode was read from the file itself when it was made, and nothing is surer.
std::pair<Time, Time> rank_of(const records::Slot& slot) {
    const bool looked = slot.state == record::State::live && slot.a != 0;
    const Time over = slot.d != 0 ? records::to_time(slot.d)
                      : looked    ? std::numeric_limits<Time>::max()
                                  : slot.created_at;
    return {over, slot.created_at};
}

// The slot that is known to have made this file; of several the latest.
std::optional<Candidate> owner_by_inode(const Group& group, const kernel::FileFacts& facts) {
    std::optional<Candidate> owner;
    for (const Candidate& candidate : group.candidates) {
        const records::Slot& slot = *candidate.slot;
        if (slot.state != record::State::live || slot.has(record::unmapped)) continue;
        if (slot.a != facts.id.inode || slot.b != facts.id.device) continue;
        if (!survived_reboot(candidate, facts)) continue;
        if (!owner || rank_of(*owner->slot) <= rank_of(slot)) owner = candidate;
    }
    return owner;
}

// Whether this slot, which does not know its file, may have made it.
bool may_own(const Candidate& candidate, const kernel::FileFacts& facts) {
    const records::Slot& slot = *candidate.slot;
    if (slot.has(record::unmapped) || slot.created_at > facts.born + clock_slack) return false;
    if (!survived_reboot(candidate, facts)) return false;
    if (slot.state == record::State::intent) return candidate.record().owner == facts.uid;
    // The call made a file of this name; it is this one if it was born before the call was over.
    const Time over = records::to_time(slot.d);
    return slot.state == record::State::live && slot.a == 0 &&
           (over == 0 || !facts.has_birth || facts.born <= over + clock_slack);
}

// The slot that made it without a look at its inode: of several the latest. Or else the one that meant to make it
// and never learnt whether it did: several were killed within their calls, and the first of them made the file
// that the others then found; one that began long before is none of them.
std::optional<Candidate> owner_by_time(const Group& group, const kernel::FileFacts& facts) {
    constexpr Time one_call = 100'000'000;
    std::optional<Candidate> owner;
    const auto rank = [&facts](const Candidate& candidate) {
        const records::Slot& slot = *candidate.slot;
        if (slot.state == record::State::live) return std::pair(2, rank_of(slot));
        if (slot.created_at + one_call < facts.born) return std::pair(0, rank_of(slot));
        return std::pair(1, std::pair(-slot.created_at, Time{0}));
    };
    for (const Candidate& candidate : group.candidates) {
        if (may_own(candidate, facts) && (!owner || rank(*owner) <= rank(candidate))) {
            owner = candidate;
        }
    }
    return owner;
}

}  // namespace

void each_named(const NamedKind& kind, const Evidence& evidence,
                const std::function<void(NamedLeak)>& found) {
    const kernel::Roots& roots = evidence.options.roots;
    const auto judge = [&](Group& group) {
        const auto facts = kind.look(group.place, roots);
        if (!facts || (facts->mode & S_IFMT) != kind.type) return;
        auto owner = owner_by_inode(group, *facts);
        if (!owner && !evidence.is_confirmed(facts->id)) {
            owner = owner_by_time(group, *facts);
        }
        if (owner) found({*owner, std::move(group.place), *facts});
    };

    // Names that several slots have are judged together. Of a million nearly all are alone: these
    // are told by their hashes, and never kept.
    constexpr std::hash<std::string> hash;
    const std::vector<Candidate>& candidates = evidence.of(kind.kind);
    std::vector<std::size_t> hashes;
    hashes.reserve(candidates.size());
    for (const Candidate& candidate : candidates) {
        if (candidate.slot->name_cut) continue;
        if (const auto place = kind.place(candidate, roots)) hashes.push_back(hash(place->path));
    }
    std::sort(hashes.begin(), hashes.end());
    std::unordered_set<std::size_t> shared;
    for (std::size_t i = 1; i < hashes.size(); ++i) {
        if (hashes[i] == hashes[i - 1]) shared.insert(hashes[i]);
    }
    hashes = {};

    std::vector<Group> groups;
    std::unordered_map<std::string, std::size_t> by_path;
    for (const Candidate& candidate : candidates) {
        if (candidate.slot->name_cut) continue;
        auto place = kind.place(candidate, roots);
        if (!place) continue;
        if (!shared.empty() && shared.contains(hash(place->path))) {
            const auto [at, is_new] = by_path.try_emplace(place->path, groups.size());
            if (is_new) groups.push_back({std::move(*place), {}});
            groups[at->second].candidates.push_back(candidate);
        } else {
            Group alone{std::move(*place), {candidate}};
            judge(alone);
        }
    }
    for (Group& group : groups) judge(group);
}

void add_named(Kind kind, NamedLeak found, Findings& findings) {
    Leak leak = make_leak(kind, std::move(found.place.shown));
    leak.details.path = std::move(found.place.path);
    leak.details.inode = found.facts.id.inode;
    leak.details.device = found.facts.id.device;
    leak.details.bytes = found.facts.bytes;
    findings.add(std::move(leak), found.origin);
}

std::string join(const std::filesystem::path& folder, std::string_view name) {
    std::string path;
    path.reserve(folder.native().size() + 1 + name.size());
    return path.append(folder.native()).append("/").append(name);
}

std::optional<std::string> posix_name(std::string_view name) {
    while (name.starts_with('/')) name.remove_prefix(1);
    if (name.empty() || name == "." || name == ".." || name.size() > 255) return std::nullopt;
    if (name.find('/') != std::string_view::npos || name.find('\0') != std::string_view::npos) {
        return std::nullopt;
    }
    return std::string(name);
}

std::optional<kernel::FileFacts> look_at_path(const Place& place, const kernel::Roots&) {
    return kernel::file_facts(place.path);
}

}  // namespace leftover::judge
