// Named semaphores, and what a kill inside glibc's sem_open leaves. That makes a file `sem.XXXXXX`
// with a random name, fills and maps it, links it to the real name and removes the random one.

#include <sys/stat.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "reporter/judge/census.h"
#include "reporter/judge/checks.h"
#include "reporter/judge/named.h"
#include "reporter/kernel/machine.h"
#include "reporter/kernel/users.h"

namespace leftover::judge {

namespace {

constexpr std::string_view prefix = "sem.";

std::optional<Place> place_of_semaphore(const Candidate& candidate, const kernel::Roots& roots) {
    const auto plain = posix_name(candidate.slot->name);
    if (!plain) return std::nullopt;
    return Place{"/" + *plain, join(roots.shm, std::string(prefix) + *plain)};
}

bool is_random_name(std::string_view name) {
    if (name.size() != prefix.size() + 6 || !name.starts_with(prefix)) return false;
    return std::all_of(name.begin() + prefix.size(), name.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    });
}

class HalfMade {
public:
    explicit HalfMade(const Evidence& evidence) : evidence_(evidence) {}

    // A semaphore that was found: it shows for its intent, and may have its random name still.
    void note(const NamedLeak& found);

    // What else there is, when all have been noted.
    std::vector<NamedLeak> find();

private:
    bool is_dead(const Candidate& candidate) const {
        return evidence_.census.image_of(candidate) != Image::running;
    }
    void find_intents();
    std::vector<kernel::NamedFile> candidates() const;
    std::optional<Candidate> take_intent(const kernel::FileFacts& facts);
    NamedLeak leak_of(const Candidate& origin, const kernel::NamedFile& file) const;

    const Evidence& evidence_;
    std::unordered_set<const records::Slot*> fulfilled_;  // intents
    std::unordered_map<kernel::FileId, Candidate, kernel::FileIdHash> linked_;  // by the real name
    std::vector<Candidate> intents_;  // of the dead, without a semaphore to show for it
};

void HalfMade::note(const NamedLeak& found) {
    if (found.origin.slot->state == record::State::intent) fulfilled_.insert(found.origin.slot);
    // A process that lives is about to remove the random name itself.
    if (found.facts.links > 1 && is_dead(found.origin)) linked_.emplace(found.facts.id, found.origin);
}

void HalfMade::find_intents() {
    for (const Candidate& candidate : evidence_.of(Kind::semaphore)) {
        if (candidate.slot->state == record::State::intent && !fulfilled_.contains(candidate.slot) &&
            candidate.source->session->same_boot && is_dead(candidate)) {
            intents_.push_back(candidate);
        }
    }
}

// Files with a random name that no slot claims by name.
std::vector<kernel::NamedFile> HalfMade::candidates() const {
    std::unordered_set<std::string> claimed;
    for (const Candidate& candidate : evidence_.of(Kind::semaphore)) {
        if (const auto name = posix_name(candidate.slot->name)) {
            claimed.insert(std::string(prefix) + *name);
        }
    }
    return kernel::list_folder(evidence_.options.roots.shm, [&](std::string_view name) {
        return is_random_name(name) && !claimed.contains(std::string(name));
    });
}

// Another program may be in the middle of its own sem_open, and so may a process of the session that
// lives. What one that is not has open, it inherited by a fork in the middle of its creator's, if the file
// was there before it.
class Users {
public:
    explicit Users(const Evidence& evidence) {
        const kernel::Roots& roots = evidence.options.roots;
        std::unordered_map<int, Time> heirs;
        for (const Member& member : evidence.census.members()) {
            if (member.now) heirs.emplace(member.now->pid, kernel::time_of_ticks(member.now->start_ticks));
        }
        for (const Candidate& candidate : evidence.of(Kind::semaphore)) {
            const bool at_work = candidate.slot->state == record::State::intent &&
                                 evidence.census.image_of(candidate) == Image::running;
            if (at_work) heirs.erase(evidence.census.pid_of(candidate));
        }
        std::vector<int> others;
        for (const int pid : kernel::list_processes(roots)) {
            const auto heir = heirs.find(pid);
            if (heir == heirs.end()) others.push_back(pid);
            else heirs_.emplace_back(heir->second, kernel::used_files({pid}, roots));
        }
        others_ = kernel::used_files(others, roots);
    }

    bool may_own(const kernel::FileFacts& facts) const {
        if (others_.uses(facts.id)) return true;
        return std::any_of(heirs_.begin(), heirs_.end(), [&](const auto& heir) {
            return facts.born > heir.first + clock_slack && heir.second.uses(facts.id);
        });
    }

private:
    kernel::UsedFiles others_;
    std::vector<std::pair<Time, kernel::UsedFiles>> heirs_;  // since when, and what
};

// The intent nearest to the file's birth; each can own one file only.
std::optional<Candidate> HalfMade::take_intent(const kernel::FileFacts& facts) {
    auto nearest = intents_.end();
    Time distance = 0;
    for (auto at = intents_.begin(); at != intents_.end(); ++at) {
        const Time created = at->slot->created_at;
        if (created > facts.born + clock_slack || at->record().owner != facts.uid) continue;
        const Time its = std::max(created, facts.born) - std::min(created, facts.born);
        if (nearest != intents_.end() && its >= distance) continue;
        nearest = at;
        distance = its;
    }
    if (nearest == intents_.end()) return std::nullopt;
    const Candidate taken = *nearest;
    intents_.erase(nearest);
    return taken;
}

NamedLeak HalfMade::leak_of(const Candidate& origin, const kernel::NamedFile& file) const {
    const std::string plain = file.name.substr(prefix.size());
    return {origin, {"/" + plain, join(evidence_.options.roots.shm, file.name)}, file.facts};
}

std::vector<NamedLeak> HalfMade::find() {
    find_intents();
    std::vector<NamedLeak> leaks;
    if (linked_.empty() && intents_.empty()) return leaks;
    std::vector<kernel::NamedFile> unlinked;
    for (const kernel::NamedFile& file : candidates()) {
        if (!S_ISREG(file.facts.mode)) continue;
        if (const auto real = linked_.find(file.facts.id); real != linked_.end()) {
            leaks.push_back(leak_of(real->second, file));
        } else if (file.facts.links == 1 && (file.facts.bytes == 0 || file.facts.bytes == 32)) {
            unlinked.push_back(file);
        }
    }
    if (unlinked.empty() || intents_.empty()) return leaks;

    const Users users(evidence_);
    std::sort(unlinked.begin(), unlinked.end(), [](const auto& one, const auto& other) {
        return one.facts.born < other.facts.born;
    });
    for (const kernel::NamedFile& file : unlinked) {
        if (users.may_own(file.facts)) continue;
        if (const auto intent = take_intent(file.facts)) leaks.push_back(leak_of(*intent, file));
    }
    return leaks;
}

}  // namespace

void check_semaphores(const Evidence& evidence, Findings& findings) {
    const NamedKind kind{Kind::semaphore, S_IFREG, place_of_semaphore, look_at_path};
    HalfMade half_made(evidence);
    each_named(kind, evidence, [&](NamedLeak leak) {
        half_made.note(leak);
        add_named(kind.kind, std::move(leak), findings);
    });
    for (NamedLeak& leak : half_made.find()) add_named(kind.kind, std::move(leak), findings);
}

}  // namespace leftover::judge
