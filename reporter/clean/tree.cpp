#include "reporter/clean/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <optional>
#include <vector>

#include "reporter/clean/held_name.h"

namespace leftover::clean {

namespace {

using run::Descriptor;

struct Entry {
    std::string name;
    struct statx facts;

    bool is(unsigned type) const { return (facts.stx_mode & S_IFMT) == type; }
    kernel::FileId id() const {
        return {makedev(facts.stx_dev_major, facts.stx_dev_minor), facts.stx_ino};
    }
    // Also one of the same file system, that somebody bound here.
    bool is_mount() const {
        return (facts.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0 &&
               (facts.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
    }
};

// Null with errno when it cannot be listed.
using Names = std::optional<std::vector<std::string>>;

Names list(int folder) {
    // A descriptor of its own: closedir closes it.
    const int copy = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* stream = copy < 0 ? nullptr : ::fdopendir(copy);
    if (stream == nullptr) {
        if (copy >= 0) ::close(copy);
        return std::nullopt;
    }
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(stream)) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") names.emplace_back(name);
    }
    ::closedir(stream);
    return names;
}

Descriptor open_folder(int parent, const std::string& name) {
    return Descriptor(
        ::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

class Tree {
public:
    Tree(std::uint64_t device, const Users& users) : device_(device), users_(users) {}

    // Nothing: all of it may go.
    std::optional<Outcome> check(int folder, const std::string& path);
    std::optional<Outcome> remove(int folder, const std::string& path);

private:
    // Nothing: it has gone meanwhile.
    std::optional<Entry> look(int folder, const std::string& name) const;
    std::optional<Outcome> check_entry(int folder, const Entry& entry, const std::string& path);
    std::string use_of(int folder, const Entry& entry, const std::string& path) const;
    bool is_somebody_elses(const Entry& entry) const {
        return entry.facts.stx_uid != ::geteuid() && entry.facts.stx_uid != ::getuid();
    }

    std::uint64_t device_;
    const Users& users_;
};

std::optional<Entry> Tree::look(int folder, const std::string& name) const {
    Entry entry{name, {}};
    std::memset(&entry.facts, 0, sizeof entry.facts);
    if (::statx(folder, name.c_str(), AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS,
                &entry.facts) != 0) {
        return std::nullopt;
    }
    return entry;
}

std::string Tree::use_of(int folder, const Entry& entry, const std::string& path) const {
    if (entry.is(S_IFSOCK)) return users_.of_socket(path, entry.id());
    if (entry.is(S_IFREG)) {
        const Descriptor file(::openat(folder, entry.name.c_str(),
                                       O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
        if (file.is_open()) return users_.of_open(file.get(), entry.id());
    }
    return entry.is(S_IFLNK) ? std::string() : users_.of_unopened(entry.id());
}

std::optional<Outcome> Tree::check_entry(int folder, const Entry& entry, const std::string& path) {
    if (entry.is_mount() || entry.id().device != device_) {
        return in_use(fmt::format("'{}' in it is a mount", path));
    }
    if (is_somebody_elses(entry)) {
        return in_use(fmt::format("'{}' in it belongs to another user", path));
    }
    if (const std::string use = use_of(folder, entry, path); !use.empty()) {
        return in_use(fmt::format("'{}' in it is {}", path, use));
    }
    if (!entry.is(S_IFDIR)) return std::nullopt;
    const Descriptor below = open_folder(folder, entry.name);
    if (!below.is_open()) return failed_by_errno(fmt::format("cannot look into '{}'", path), errno);
    return check(below.get(), path);
}

std::optional<Outcome> Tree::check(int folder, const std::string& path) {
    const Names names = list(folder);
    if (!names) return failed_by_errno(fmt::format("cannot look into '{}'", path), errno);
    for (const std::string& name : *names) {
        const auto entry = look(folder, name);
        if (!entry) continue;
        if (auto outcome = check_entry(folder, *entry, path + "/" + name)) return outcome;
    }
    return std::nullopt;
}

std::optional<Outcome> Tree::remove(int folder, const std::string& path) {
    const Names names = list(folder);
    if (!names) return failed_by_errno(fmt::format("cannot look into '{}'", path), errno);
    // One that its owner made read-only goes as well.
    struct stat facts{};
    if (::fstat(folder, &facts) == 0 && (facts.st_mode & S_IRWXU) != S_IRWXU) {
        ::fchmod(folder, (facts.st_mode & 07777) | S_IRWXU);
    }
    for (const std::string& name : *names) {
        const auto entry = look(folder, name);
        if (!entry) continue;
        const std::string below = path + "/" + name;
        if (entry->is_mount() || entry->id().device != device_ || is_somebody_elses(*entry)) {
            return failed(fmt::format("somebody put '{}' there meanwhile", below));
        }
        const bool is_folder = entry->is(S_IFDIR);
        if (is_folder) {
            const Descriptor inner = open_folder(folder, name);
            if (!inner.is_open()) {
                return failed_by_errno(fmt::format("cannot look into '{}'", below), errno);
            }
            if (auto outcome = remove(inner.get(), below)) return outcome;
        }
        if (::unlinkat(folder, name.c_str(), is_folder ? AT_REMOVEDIR : 0) != 0 && errno != ENOENT) {
            return failed_by_errno(fmt::format("cannot remove '{}'", below), errno);
        }
    }
    return std::nullopt;
}

}  // namespace

Outcome remove_tree(const std::string& path, const kernel::FileId& id, const Users& users) {
    HeldName name(path);
    if (!name.is_held()) return gone();
    name.lock_folder();
    if (!name.is(id)) return gone();
    const Descriptor folder = name.open(O_DIRECTORY);
    if (!folder.is_open()) return failed_by_errno("cannot look into it", errno);
    struct stat facts{};
    if (::fstat(folder.get(), &facts) != 0 || kernel::FileId{facts.st_dev, facts.st_ino} != id) {
        return gone();
    }
    if (const std::string use = users.of_unopened(id); !use.empty()) return in_use(use);
    Tree tree(id.device, users);
    if (auto outcome = tree.check(folder.get(), path)) return *outcome;
    if (auto outcome = tree.remove(folder.get(), path)) return *outcome;
    if (!name.is(id)) return gone();
    const int error = name.unlink(AT_REMOVEDIR);
    if (error == ENOENT) return gone();
    return error == 0 ? done() : failed_by_errno("cannot remove it", error);
}

}  // namespace leftover::clean
