#include "reporter/judge/named.h"

#include <sys/stat.h>

#include <algorithm>
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

// How good a slot's claim to a file is, the best last.
enum class Claim {
    none,
    long_before,  // it meant to make it long before the file was born, and never learnt whether it did
    too_early,    // it made one of that name about then, but had it when this one came to be
    intent,       // it meant to make it, and was killed in the call
    made,         // it made one of that name, in a call that may be this file's
    half_way,     // it was killed in the call, and so was whoever made the file
    known,        // it looked at the file itself
};

// Whether the file came to be while the call, which ended at `over`, was on. A file's times are behind the
// precise clock, never ahead. (sem_open links the file to its name and removes another one: it is changed
// within the call. What is changed later is so for all of those who compete.)
bool is_within(Time over, const kernel::FileFacts& facts, Kind kind) {
    return facts.born <= over && (kind != Kind::semaphore || facts.changed <= over);
}

bool has_seen(const records::Slot& slot, const kernel::FileFacts& facts) {
    return slot.state == record::State::live && slot.a == facts.id.inode && slot.b == facts.id.device;
}

// When the name was removed last, as far as is known: by those who then made it again, or were about to.
Time removed_at(const Group& group) {
    Time latest = 0;
    for (const Candidate& candidate : group.candidates) {
        const records::Slot& slot = *candidate.slot;
        if (slot.kind != Kind::semaphore && slot.kind != Kind::shared_memory) continue;
        const Time removed = records::to_time(slot.c);
        if (removed <= slot.created_at) latest = std::max(latest, removed);
    }
    return latest;
}

// `removed`: what was made before that is gone. `is_another`: a slot of another name has made it, for sure.
Claim claim_of(const Candidate& candidate, const kernel::FileFacts& facts, Time removed, bool is_another) {
    const records::Slot& slot = *candidate.slot;
    if (slot.has(record::unmapped) || !survived_reboot(candidate, facts)) return Claim::none;
    const bool is_live = slot.state == record::State::live;
    const bool is_seen = has_seen(slot, facts);
    // A look at the path only, some time after the call (see pending.h), tells who was too early.
    if (is_seen && slot.d == 0) return Claim::known;
    if ((is_live && slot.a != 0) ? !is_seen : is_another) return Claim::none;
    if (slot.created_at > facts.born + clock_slack) return is_seen ? Claim::too_early : Claim::none;
    if (slot.state == record::State::intent) {
        constexpr Time one_call = 100'000'000;
        if (candidate.record().owner != facts.uid) return Claim::none;
        if (slot.created_at + one_call < facts.born) return Claim::long_before;
        return slot.kind == Kind::semaphore && facts.links > 1 ? Claim::half_way : Claim::intent;
    }
    if (!is_live) return Claim::none;
    const Time over = records::to_time(slot.d);
    // Where somebody saw another /dev/shm, what he removed there was another one of that name.
    const bool is_gone = over != 0 && over < removed;
    if (!is_gone && (over == 0 || !facts.has_birth || is_within(over, facts, slot.kind))) return Claim::made;
    return is_seen || facts.born <= over + clock_slack ? Claim::too_early : Claim::none;
}

// Of several with the same claim. Who makes a file found that of the one before gone: the last to begin made
// it. Of those killed in their calls the first to begin did, for the others then found its file.
bool is_likelier(const records::Slot& one, const records::Slot& other, Claim claim) {
    const bool first_made_it = claim == Claim::intent || claim == Claim::half_way;
    return first_made_it ? one.created_at < other.created_at : one.created_at >= other.created_at;
}

std::optional<Candidate> owner_of(const Group& group, const kernel::FileFacts& facts, bool is_another) {
    const Time removed = removed_at(group);
    std::optional<Candidate> owner;
    Claim best = Claim::none;
    for (const Candidate& candidate : group.candidates) {
        const Claim claim = claim_of(candidate, facts, removed, is_another);
        if (claim == Claim::none || claim < best) continue;
        if (claim == best && !is_likelier(*candidate.slot, *owner->slot, claim)) continue;
        owner = candidate;
        best = claim;
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
        const bool is_seen = std::any_of(group.candidates.begin(), group.candidates.end(), [&](const Candidate& one) {
            return has_seen(*one.slot, *facts) && !one.slot->has(record::unmapped);
        });
        const auto owner = owner_of(group, *facts, !is_seen && evidence.is_confirmed(facts->id));
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
