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

// What decides between several: a file that is there was made by the call that was over last. Where that
// was not written down, the inode was read from the file itself when it was made, and nothing is surer.
bool is_before(const Resource& one, const Resource& other) {
    const auto over = [](const Resource& resource) {
        if (resource.d != 0) return resource.d;
        return resource.state == record::State::live && resource.a != 0 ? ~std::uint64_t{0} : resource.created_ns;
    };
    const std::uint64_t first = over(one);
    const std::uint64_t second = over(other);
    return first != second ? first < second : one.created_ns < other.created_ns;
}

// The slot that is known to have made this file; of several the latest.
const Resource* owner_by_inode(const Group& group, const FileFacts& facts) {
    const Resource* owner = nullptr;
    for (const Resource* at = group.resources; at != nullptr; at = at->next_same) {
        if (at->state != record::State::live || at->has(record::unmapped)) continue;
        if (at->a != facts.inode || at->b != facts.device) continue;
        if (owner == nullptr || !is_before(*at, *owner)) owner = at;
    }
    return owner;
}

// Which of two slots that do not know their file is the likelier to have made it: one whose call was over, of
// several the last; of those killed within their calls the first, because the others found its file, but for
// what began long before.
bool is_likelier(const Resource& one, const Resource& other, std::uint64_t born_ns) {
    constexpr std::uint64_t one_call = 100'000'000;
    const auto rank = [&](const Resource& resource) {
        if (resource.state == record::State::live) return 2;
        return resource.created_ns + one_call < born_ns ? 0 : 1;
    };
    if (rank(one) != rank(other)) return rank(one) > rank(other);
    return rank(one) == 1 ? one.created_ns < other.created_ns : !is_before(one, other);
}

// The slot that may have made it before it was born; of several the likeliest.
const Resource* owner_by_intent(const Group& group, const FileFacts& facts) {
    const Resource* owner = nullptr;
    for (const Resource* at = group.resources; at != nullptr; at = at->next_same) {
        // A live slot without an inode is one that nobody had looked up yet.
        const bool unsure =
            at->state == record::State::intent || (at->state == record::State::live && at->a == 0);
        if (!unsure || at->has(record::unmapped) || at->record->owner != facts.user) continue;
        if (at->created_ns > facts.born_ns + clock_slack) continue;
        const bool call_is_over = at->state == record::State::live && at->d != 0;
        if (call_is_over && facts.born_ns > at->d + clock_slack) continue;
        if (owner == nullptr || is_likelier(*at, *owner, facts.born_ns)) owner = at;
    }
    return owner;
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

const Resource* owner_of(const Group& group, const FileFacts& facts, const Table& confirmed) {
    const Resource* const owner = owner_by_inode(group, facts);
    if (owner != nullptr || confirmed.find(key_of_file(facts.device, facts.inode)) != nullptr) {
        return owner;
    }
    return owner_by_intent(group, facts);
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
    facts.born_ns = nanoseconds(has_birth ? raw.stx_btime : raw.stx_ctime);
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
        const Resource* const owner = owner_of(group, facts, confirmed);
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
        const Resource* const owner = owner_of(group, facts, confirmed);
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
