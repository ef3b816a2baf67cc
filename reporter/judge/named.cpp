#include "reporter/judge/named.h"

#include <sys/stat.h>

#include <unordered_map>

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

// The slot that is sure to have made this file; of several the latest.
std::optional<Candidate> owner_by_inode(const Group& group, const kernel::FileFacts& facts) {
    std::optional<Candidate> owner;
    for (const Candidate& candidate : group.candidates) {
        const records::Slot& slot = *candidate.slot;
        if (slot.state != record::State::live || slot.has(record::unmapped)) continue;
        if (slot.a != facts.id.inode || slot.b != facts.id.device) continue;
        if (!survived_reboot(candidate, facts)) continue;
        if (!owner || owner->slot->created_at <= slot.created_at) owner = candidate;
    }
    return owner;
}

// The slot that meant to make it before it was born and never learnt whether it did; of several the
// latest.
std::optional<Candidate> owner_by_intent(const Group& group, const kernel::FileFacts& facts) {
    std::optional<Candidate> owner;
    for (const Candidate& candidate : group.candidates) {
        const records::Slot& slot = *candidate.slot;
        // A live slot without an inode is one whose look at its own file failed.
        const bool unsure = slot.state == record::State::intent ||
                            (slot.state == record::State::live && slot.a == 0);
        if (!unsure || slot.has(record::unmapped)) continue;
        if (candidate.record().owner != facts.uid) continue;
        if (slot.created_at > facts.born + clock_slack) continue;
        if (slot.state == record::State::live && slot.d != 0 &&
            facts.born > static_cast<Time>(slot.d) + clock_slack) {
            continue;
        }
        if (!survived_reboot(candidate, facts)) continue;
        if (!owner || owner->slot->created_at <= slot.created_at) owner = candidate;
    }
    return owner;
}

}  // namespace

std::vector<NamedLeak> find_named(const NamedKind& kind, const Evidence& evidence) {
    const kernel::Roots& roots = evidence.options.roots;
    std::vector<Group> groups;
    std::unordered_map<std::string, std::size_t> by_path;
    for (const Candidate& candidate : evidence.of(kind.kind)) {
        if (candidate.slot->name_cut) continue;
        auto place = kind.place(candidate, roots);
        if (!place) continue;
        const auto [at, is_new] = by_path.try_emplace(place->path, groups.size());
        if (is_new) groups.push_back({std::move(*place), {}});
        groups[at->second].candidates.push_back(candidate);
    }

    std::vector<NamedLeak> leaks;
    for (Group& group : groups) {
        const auto facts = kind.look(group.place, roots);
        if (!facts || (facts->mode & S_IFMT) != kind.type) continue;
        auto owner = owner_by_inode(group, *facts);
        if (!owner && !evidence.confirmed.contains(facts->id)) {
            owner = owner_by_intent(group, *facts);
        }
        if (owner) leaks.push_back({*owner, std::move(group.place), *facts});
    }
    return leaks;
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
