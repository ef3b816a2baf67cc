#include "reporter/judge/outside.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_set>

#include "reporter/judge/evidence.h"
#include "reporter/kernel/users.h"

namespace leftover {

namespace {

using kernel::NamedFile;
using kernel::SysvObject;

constexpr std::array sysv_kinds{Kind::sysv_shared_memory, Kind::sysv_semaphore,
                                Kind::sysv_message_queue};
constexpr std::string_view semaphore_prefix = "sem.";

// Root's programs become other users, and what they make then is those users'.
bool is_of_interest(uid_t owner) { return owner == ::geteuid() || ::geteuid() == 0; }

std::vector<NamedFile> own_files(const std::filesystem::path& folder) {
    auto files = kernel::list_folder(folder, [](std::string_view) { return true; });
    std::erase_if(files, [](const NamedFile& file) {
        return !S_ISREG(file.facts.mode) || !is_of_interest(file.facts.uid);
    });
    return files;
}

void add_own(std::vector<SysvObject>& objects, Kind kind, const kernel::Roots& roots) {
    for (const SysvObject& object : kernel::list_sysv(kind, roots)) {
        if (is_of_interest(object.uid)) objects.push_back(object);
    }
}

constexpr Time second = 1'000'000'000;

// Whether one of them made it: the kernel keeps the second, and who changes its owner or mode later changes that.
bool is_made_by(const Creators& creators, const SysvObject& object) {
    const auto [first, last] = creators.equal_range(object.creator_pid);
    return std::any_of(first, last, [&](const Creators::value_type& creator) {
        const Time at = object.changed * second;
        const Lifetime& ran = creator.second;
        return at + second >= ran.started_at && (ran.ended_at == 0 || at <= ran.ended_at);
    });
}

class Difference {
public:
    Difference(const std::set<int>& processes, const Creators& creators,
               const std::vector<Leak>& claimed, const kernel::Roots& roots)
        : processes_(processes), creators_(creators), roots_(roots) {
        for (const Leak& leak : claimed) {
            if (leak.details.path) paths_.insert(*leak.details.path);
            if (leak.details.more->id) ids_.insert({leak.kind, *leak.details.more->id});
        }
    }

    void files(const std::vector<NamedFile>& before, const std::vector<NamedFile>& after,
               const std::filesystem::path& folder, bool is_queue);
    void sysv(const std::vector<SysvObject>& before, const std::vector<SysvObject>& after);

    std::vector<Leak> leaks;

private:
    const kernel::UsedFiles& used() {
        if (!used_) used_ = kernel::used_files({processes_.begin(), processes_.end()}, roots_);
        return *used_;
    }
    void add(Leak leak, bool is_theirs, uid_t owner) {
        if (!is_theirs) {
            if (owner != ::geteuid()) return;
            leak.severity = Severity::note;
            leak.details.more.edit().attribution = "window";
        }
        leaks.push_back(std::move(leak));
    }

    const std::set<int>& processes_;
    const Creators& creators_;
    const kernel::Roots& roots_;
    std::unordered_set<std::string> paths_;
    std::set<std::pair<Kind, std::uint64_t>> ids_;
    std::optional<kernel::UsedFiles> used_;  // found out when there is anything new
};

void Difference::files(const std::vector<NamedFile>& before, const std::vector<NamedFile>& after,
                       const std::filesystem::path& folder, bool is_queue) {
    std::set<std::tuple<std::string, std::uint64_t, std::uint64_t>> old;
    for (const NamedFile& file : before) {
        old.emplace(file.name, file.facts.id.device, file.facts.id.inode);
    }
    for (const NamedFile& file : after) {
        const kernel::FileFacts& facts = file.facts;
        const std::string path = folder / file.name;
        if (old.contains({file.name, facts.id.device, facts.id.inode}) || paths_.contains(path)) {
            continue;
        }
        Kind kind = is_queue ? Kind::message_queue : Kind::shared_memory;
        std::string name = file.name;
        if (!is_queue && name.starts_with(semaphore_prefix)) {
            kind = Kind::semaphore;
            name.erase(0, semaphore_prefix.size());
        }
        Leak leak = judge::make_leak(kind, "/" + name);
        leak.created_at = facts.born;
        leak.details.path = path;
        leak.details.inode = facts.id.inode;
        leak.details.device = facts.id.device;
        leak.details.bytes = facts.bytes;
        add(std::move(leak), used().uses(facts.id), facts.uid);
    }
}

void Difference::sysv(const std::vector<SysvObject>& before, const std::vector<SysvObject>& after) {
    std::set<std::pair<Kind, std::int64_t>> old;
    for (const SysvObject& object : before) old.emplace(object.kind, object.id);
    for (const SysvObject& object : after) {
        const auto id = static_cast<std::uint64_t>(object.id);
        if (old.contains({object.kind, object.id}) || ids_.contains({object.kind, id})) continue;
        Leak leak = judge::make_leak(object.kind, "id:" + std::to_string(object.id));
        leak.created_at = object.changed * second;
        MoreDetails& more = leak.details.more.edit();
        more.id = id;
        more.key = object.key;
        more.changed = object.changed;
        const bool is_memory = object.kind == Kind::sysv_shared_memory;
        const bool is_made = is_memory && is_made_by(creators_, object);
        if (is_memory) leak.details.bytes = object.bytes;
        if (is_made) leak.pid = object.creator_pid;
        const bool is_attached = is_memory && used().sysv_shared_memory.contains(object.id);
        add(std::move(leak), is_made || is_attached, object.uid);
    }
}

}  // namespace

Snapshot snapshot(const kernel::Roots& roots) {
    Snapshot now;
    now.shm = own_files(roots.shm);
    now.mqueue = own_files(roots.mqueue);
    for (const Kind kind : sysv_kinds) add_own(now.sysv, kind, roots);
    return now;
}

Snapshot snapshot_of_memory(const kernel::Roots& roots) {
    Snapshot now;
    add_own(now.sysv, Kind::sysv_shared_memory, roots);
    return now;
}

std::vector<Leak> appeared(const Snapshot& before, const Snapshot& after,
                           const std::set<int>& processes, const Creators& creators,
                           const std::vector<Leak>& claimed, const kernel::Roots& roots) {
    Difference difference(processes, creators, claimed, roots);
    difference.files(before.shm, after.shm, roots.shm, false);
    difference.files(before.mqueue, after.mqueue, roots.mqueue, true);
    difference.sysv(before.sysv, after.sysv);
    return std::move(difference.leaks);
}

}  // namespace leftover
