#include "preload/hand/named.h"

#include <sys/stat.h>

#include "preload/core/sys.h"
#include "preload/core/text.h"

namespace leftover::hand {

namespace {

constexpr std::size_t longest_path = 512;

std::uint64_t key_of_file(std::uint64_t device, std::uint64_t inode) { return mix(device, inode); }

std::uint64_t nanoseconds(const struct statx_timestamp& time) {
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

// Slots by the name that they mean.
struct Group {
    std::string_view name;
    Resource* resources;
};

// How good a slot's claim to a file is, the best last. (The rule is the reporter's, judge/named.cpp.)
enum class Claim {
    none,
    long_before,  // it meant to make it long before the file was born, and never learnt whether it did
    too_early,    // it made one of that name about then, but had it when this one came to be
    intent,       // it meant to make it, and was killed in the call
    made,         // it made one of that name, in a call that may be this file's
    half_way,     // it was killed in the call, and so was whoever made the file
    known,        // it looked at the file itself
};

// Whether the file came to be while the call, which ended at `over_ns`, was on. A file's times are behind the
// precise clock, never ahead. (sem_open links the file to its name and removes another one: it is changed
// within the call.)
bool is_within(std::uint64_t over_ns, const FileFacts& facts, Kind kind) {
    return facts.born_ns <= over_ns && (kind != Kind::semaphore || facts.changed_ns <= over_ns);
}

bool has_seen(const Resource& resource, const FileFacts& facts) {
    return resource.state == record::State::live && resource.a == facts.inode && resource.b == facts.device;
}

// When the name was removed last, as far as is known: by those who then made it again, or were about to.
std::uint64_t removed_at(const Group& group, Kind kind) {
    std::uint64_t latest = 0;
    if (kind != Kind::semaphore && kind != Kind::shared_memory) return latest;
    for (const Resource* at = group.resources; at != nullptr; at = at->next_same) {
        if (at->c <= at->created_ns && at->c > latest) latest = at->c;
    }
    return latest;
}

// `removed_ns`: what was made before that is gone. `is_another`: a slot of another name has made it, for sure.
Claim claim_of(const Resource& resource, const FileFacts& facts, Kind kind, std::uint64_t removed_ns, bool is_another) {
    if (resource.has(record::unmapped)) return Claim::none;
    const bool is_live = resource.state == record::State::live;
    const bool is_seen = has_seen(resource, facts);
    // A look at the path only, some time after the call (see pending.h), tells who was too early.
    if (is_seen && resource.d == 0) return Claim::known;
    if ((is_live && resource.a != 0) ? !is_seen : is_another || resource.record->owner != facts.user) return Claim::none;
    if (resource.created_ns > facts.born_ns + clock_slack) return is_seen ? Claim::too_early : Claim::none;
    if (resource.state == record::State::intent) {
        constexpr std::uint64_t one_call = 100'000'000;
        if (resource.created_ns + one_call < facts.born_ns) return Claim::long_before;
        return kind == Kind::semaphore && facts.links > 1 ? Claim::half_way : Claim::intent;
    }
    if (!is_live) return Claim::none;
    // Where somebody saw another /dev/shm, what he removed there was another one of that name.
    const bool is_gone = resource.d != 0 && resource.d < removed_ns;
    if (!is_gone && (resource.d == 0 || !facts.has_birth || is_within(resource.d, facts, kind))) return Claim::made;
    return is_seen || facts.born_ns <= resource.d + clock_slack ? Claim::too_early : Claim::none;
}

// Of several with the same claim. Who makes a file found that of the one before gone: the last to begin made
// it. Of those killed in their calls the first to begin did, for the others then found its file.
bool is_likelier(const Resource& one, const Resource& other, Claim claim) {
    const bool first_made_it = claim == Claim::intent || claim == Claim::half_way;
    return first_made_it ? one.created_ns < other.created_ns : one.created_ns >= other.created_ns;
}

std::string_view absolute_path(std::string_view name) {
    return name.starts_with('/') && name.find('\0') == name.npos ? name : std::string_view{};
}

// `meaning` of a slot's name is empty when it can be none of this kind: records may be damaged.
List<Group> group_by_name(const Case& about, Kind kind,
                          std::string_view (*meaning)(std::string_view)) {
    List<Group> groups;
    Table by_name;
    about.each(kind, [&](Resource& resource) {
        const std::string_view name = meaning(resource.name);
        if (resource.name_cut || name.empty()) return;
        bool is_new = false;
        const std::uint32_t* const place =
            by_name.enter(about.pool(), hash_bytes(name.data(), name.size()),
                          static_cast<std::uint32_t>(groups.size()), is_new);
        if (place == nullptr || (is_new && !groups.add(about.pool(), {name, nullptr}))) return;
        resource.next_same = groups[*place].resources;
        groups[*place].resources = &resource;
    });
    return groups;
}

// Files that a slot is sure to have made: no intent can own them.
Table confirmed_files(const Case& about, Kind kind) {
    Table files;
    about.each(kind, [&](const Resource& resource) {
        if (resource.state != record::State::live || resource.a == 0) return;
        bool is_new = false;
        files.enter(about.pool(), key_of_file(resource.b, resource.a), 1, is_new);
    });
    return files;
}

const Resource* owner_of(const Group& group, const FileFacts& facts, Kind kind, const Table& confirmed) {
    bool is_another = confirmed.find(key_of_file(facts.device, facts.inode)) != nullptr;
    for (const Resource* at = group.resources; at != nullptr; at = at->next_same) {
        if (has_seen(*at, facts) && !at->has(record::unmapped)) is_another = false;
    }
    const std::uint64_t removed_ns = removed_at(group, kind);
    const Resource* owner = nullptr;
    Claim best = Claim::none;
    for (const Resource* at = group.resources; at != nullptr; at = at->next_same) {
        const Claim claim = claim_of(*at, facts, kind, removed_ns, is_another);
        if (claim == Claim::none || claim < best) continue;
        if (claim == best && !is_likelier(*at, *owner, claim)) continue;
        owner = at;
        best = claim;
    }
    return owner;
}

// False when the pool has no more room.
bool add_leak(Pool& pool, List<NamedLeak*>& leaks, const NamedLeak& leak) {
    auto* const kept = pool.make<NamedLeak>();
    if (kept == nullptr || leak.path.empty()) return false;
    *kept = leak;
    return leaks.add(pool, kept);
}

}  // namespace

bool look_at(long folder, const char* name, FileFacts& facts) {
    struct statx raw;
    const int of_folder = name[0] == 0 ? AT_EMPTY_PATH : 0;
    if (sys::call(SYS_statx, folder, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | of_folder,
                  STATX_BASIC_STATS | STATX_BTIME, &raw) != 0) {
        return false;
    }
    const bool has_birth = (raw.stx_mask & STATX_BTIME) != 0;
    // As stat's st_dev packs them.
    const std::uint64_t major = raw.stx_dev_major;
    const std::uint64_t minor = raw.stx_dev_minor;
    facts.device = (major & 0xfffff000) << 32 | (major & 0xfff) << 8 | (minor & 0xffffff00) << 12 |
                   (minor & 0xff);
    facts.inode = raw.stx_ino;
    facts.user = raw.stx_uid;
    facts.mode = raw.stx_mode;
    facts.links = raw.stx_nlink;
    facts.bytes = raw.stx_size;
    facts.changed_ns = nanoseconds(raw.stx_ctime);
    facts.born_ns = has_birth ? nanoseconds(raw.stx_btime) : facts.changed_ns;
    facts.has_birth = has_birth;
    return true;
}

std::string_view posix_name(std::string_view name) {
    while (name.starts_with('/')) name.remove_prefix(1);
    if (name == "." || name == ".." || name.size() > 255) return {};
    for (const char c : name) {
        if (c == '/' || c == 0) return {};
    }
    return name;
}

bool look_at_path(const char* path, FileFacts& facts) { return look_at(AT_FDCWD, path, facts); }

List<NamedLeak*> find_named(const Case& about, Kind kind, std::string_view prefix, Look look) {
    Pool& pool = about.pool();
    const Table confirmed = confirmed_files(about, kind);
    List<NamedLeak*> leaks;
    for (const Group& group : group_by_name(about, kind, posix_name)) {
        char path[longest_path];
        Text text(path, sizeof path);
        text << prefix << group.name;
        FileFacts facts;
        if (text.cut() || !look(path, facts) || !S_ISREG(facts.mode)) continue;
        const Resource* const owner = owner_of(group, facts, kind, confirmed);
        if (owner == nullptr) continue;
        char shown[longest_path];
        Text name(shown, sizeof shown);
        name << '/' << group.name;
        std::string_view kept = pool.keep({path, text.size() + 1});
        if (!kept.empty()) kept.remove_suffix(1);
        if (!add_leak(pool, leaks, {owner, pool.keep(name.view()), kept, facts})) break;
    }
    return leaks;
}

List<NamedLeak*> find_paths(const Case& about, Kind kind, std::uint32_t type) {
    Pool& pool = about.pool();
    const Table confirmed = confirmed_files(about, kind);
    List<NamedLeak*> leaks;
    for (const Group& group : group_by_name(about, kind, absolute_path)) {
        // With a NUL behind it, by the pool: too long for the kernel it is the kernel's to say.
        char* const path = pool.make<char>(group.name.size() + 1);
        if (path == nullptr) break;
        copy_bytes(path, group.name.data(), group.name.size());
        path[group.name.size()] = 0;
        FileFacts facts;
        if (!look_at(AT_FDCWD, path, facts) || (facts.mode & S_IFMT) != type) continue;
        // Who gave it another name made it the user's own. (A directory's links are its own.)
        if (type != S_IFDIR && facts.links > 1) continue;
        const Resource* const owner = owner_of(group, facts, kind, confirmed);
        if (owner == nullptr) continue;
        const std::string_view kept{path, group.name.size()};
        if (!add_leak(pool, leaks, {owner, kept, kept, facts})) break;
    }
    return leaks;
}

void add_named(const Case& about, Kind kind, const NamedLeak& found) {
    Leak* const leak = about.findings.make(about.pool(), kind, found.name, found.origin);
    if (leak == nullptr) return;
    leak->path = found.path;
    leak->inode = found.facts.inode;
    leak->device = found.facts.device;
    leak->bytes = found.facts.bytes;
    about.findings.count(about.pool(), leak);
}

}  // namespace leftover::hand
