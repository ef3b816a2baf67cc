#include "preload/hand/clean_folder.h"

#include <linux/stat.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>

#include "preload/core/sys.h"
#include "preload/core/text.h"
#include "preload/hand/folder.h"
#include "preload/hand/named.h"

namespace leftover::hand {

namespace {

constexpr int deepest = 400;  // each level costs a descriptor
constexpr int open_flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

// One level of the walk. Its names are read piece by piece; deeper ones have buffers of their own.
struct Level {
    long fd;
    long got, at;
    char name[256];         // of this folder in the one above
    alignas(DirectoryEntry) char buffer[1024];
};

// Walks all that is below a folder, without recursion: the stack is small. `enter(folder, name, is_folder)` is asked
// about everything, about folders (it says which) before they are walked, `leave(parent, name)` about
// these afterwards. The first answer that is not `done` ends the walk.
class Walk {
public:
    explicit Walk(Pool& pool) : pool_(pool) {}

    template <class Enter, class Leave>
    Attempt run(long top, Enter enter, Leave leave);

private:
    Level* level(int depth) {
        if (static_cast<std::size_t>(depth) < levels_.size()) return levels_[static_cast<std::size_t>(depth)];
        Level* const fresh = pool_.make<Level>();
        return fresh != nullptr && levels_.add(pool_, fresh) ? fresh : nullptr;
    }
    bool descend(int depth, long parent, const char* name) {
        Level* const next = level(depth);
        if (next == nullptr) return false;
        next->fd = name == nullptr ? sys::call(SYS_openat, parent, ".", open_flags | O_DIRECTORY)
                                   : sys::call(SYS_openat, parent, name, open_flags | O_DIRECTORY);
        next->got = next->at = 0;
        Text(next->name, sizeof next->name) << (name == nullptr ? "" : name);
        return !sys::failed(next->fd);
    }
    // The next name of a folder; null at its end.
    const char* next_name(Level& level) {
        for (;;) {
            if (level.at >= level.got) {
                level.got = sys::call(SYS_getdents64, level.fd, level.buffer, sizeof level.buffer);
                level.at = 0;
                if (level.got <= 0) return nullptr;
            }
            const auto* entry = reinterpret_cast<const DirectoryEntry*>(level.buffer + level.at);
            level.at += entry->size;
            const std::string_view name(entry->name);
            if (name != "." && name != "..") return entry->name;
        }
    }

    Pool& pool_;
    List<Level*> levels_;
};

template <class Enter, class Leave>
Attempt Walk::run(long top, Enter enter, Leave leave) {
    if (!descend(0, top, nullptr)) return failed("cannot be looked into");
    Attempt attempt = done();
    int depth = 0;
    while (depth >= 0) {
        Level& here = *levels_[static_cast<std::size_t>(depth)];
        const char* name = next_name(here);
        if (name == nullptr) {
            if (depth > 0) attempt = leave(levels_[static_cast<std::size_t>(depth) - 1]->fd, here.name);
            sys::close(here.fd);
            --depth;
            if (attempt.result != Result::done) break;
            continue;
        }
        bool is_folder = false;
        attempt = enter(here.fd, name, is_folder);
        if (attempt.result != Result::done) break;
        if (!is_folder) continue;
        if (depth + 1 == deepest || !descend(depth + 1, here.fd, name)) {
            attempt = failed("something in it cannot be looked into");
            break;
        }
        ++depth;
    }
    for (; depth >= 0; --depth) sys::close(levels_[static_cast<std::size_t>(depth)]->fd);
    return attempt;
}

class Folder {
public:
    Folder(const Leak& leak, const Users& users) : leak_(leak), users_(users) {}

    Attempt remove();

private:
    Attempt check(long folder, const char* name, bool& is_folder) const;
    Attempt remove_entry(long folder, const char* name, bool& is_folder) const;
    std::string_view use_of(long folder, const char* name, const struct statx& facts) const;
    bool is_ours(const struct statx& facts) const;

    const Leak& leak_;
    const Users& users_;
};

std::uint64_t device_of(const struct statx& facts) {
    const std::uint64_t major = facts.stx_dev_major;
    const std::uint64_t minor = facts.stx_dev_minor;
    return (major & 0xfffff000) << 32 | (major & 0xfff) << 8 | (minor & 0xffffff00) << 12 | (minor & 0xff);
}

bool look(long folder, const char* name, struct statx& facts) {
    return sys::call(SYS_statx, folder, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS,
                     &facts) == 0;
}

bool Folder::is_ours(const struct statx& facts) const {
    const bool mount = (facts.stx_attributes & facts.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0;
    const auto owner = static_cast<long>(facts.stx_uid);
    return !mount && device_of(facts) == leak_.device &&
           (owner == sys::call(SYS_geteuid) || owner == sys::call(SYS_getuid));
}

std::string_view Folder::use_of(long folder, const char* name, const struct statx& facts) const {
    const unsigned type = facts.stx_mode & S_IFMT;
    if (type == S_IFSOCK) return users_.of_socket(name);
    if (type == S_IFREG) {
        const long fd = sys::call(SYS_openat, folder, name, open_flags);
        if (!sys::failed(fd)) {
            const std::string_view use = users_.of_open(fd, leak_.device, facts.stx_ino);
            sys::close(fd);
            return use;
        }
    }
    return type == S_IFLNK ? std::string_view() : users_.of(leak_.device, facts.stx_ino);
}

Attempt Folder::check(long folder, const char* name, bool& is_folder) const {
    struct statx facts;
    if (!look(folder, name, facts)) return done();  // gone
    if (!is_ours(facts)) return in_use("something in it belongs to another user, or is a mount");
    if (!use_of(folder, name, facts).empty()) return in_use("something in it is in use");
    is_folder = (facts.stx_mode & S_IFMT) == S_IFDIR;
    return done();
}

Attempt Folder::remove_entry(long folder, const char* name, bool& is_folder) const {
    struct statx facts;
    if (!look(folder, name, facts)) return done();
    if (!is_ours(facts)) return failed("somebody put something into it meanwhile");
    is_folder = (facts.stx_mode & S_IFMT) == S_IFDIR;
    if (is_folder) {
        // One that its owner made read-only goes as well.
        if ((facts.stx_mode & S_IRWXU) != S_IRWXU) {
            sys::call(SYS_fchmodat, folder, name, (facts.stx_mode & 07777U) | S_IRWXU);
        }
        return done();
    }
    const long result = sys::call(SYS_unlinkat, folder, name, 0);
    return result == 0 || result == -ENOENT ? done() : failed("something in it cannot be removed");
}

Attempt Folder::remove() {
    const long top = sys::open(leak_.path.data(), open_flags | O_DIRECTORY);
    if (top == -ENOENT || top == -ENOTDIR || top == -ELOOP) return gone();
    if (sys::failed(top)) return failed("cannot be looked into");
    FileFacts facts;
    Attempt attempt = gone();
    if (look_at(top, "", facts) && facts.inode == leak_.inode && facts.device == leak_.device) {
        const std::string_view use = users_.of(leak_.device, leak_.inode);
        attempt = use.empty() ? done() : in_use(use);
    }
    Pool pool;
    const auto leave_alone = [](long, const char*) { return done(); };
    if (attempt.result == Result::done) {
        attempt = Walk(pool).run(
            top, [&](long folder, const char* name, bool& is_folder) { return check(folder, name, is_folder); },
            leave_alone);
    }
    if (attempt.result == Result::done) {
        attempt = Walk(pool).run(
            top,
            [&](long folder, const char* name, bool& is_folder) { return remove_entry(folder, name, is_folder); },
            [](long parent, const char* name) {
                const long result = sys::call(SYS_unlinkat, parent, name, AT_REMOVEDIR);
                return result == 0 || result == -ENOENT ? done() : failed("something in it cannot be removed");
            });
    }
    sys::close(top);
    if (attempt.result != Result::done) return attempt;
    if (!look_at(AT_FDCWD, leak_.path.data(), facts) || facts.inode != leak_.inode) return gone();
    const long result = sys::call(SYS_unlinkat, AT_FDCWD, leak_.path.data(), AT_REMOVEDIR);
    if (result == -ENOENT) return gone();
    return result == 0 ? done() : failed("cannot be removed");
}

}  // namespace

FolderLock::FolderLock(std::string_view path) {
    static int attempts = 2000;  // for all folders together: some seconds
    char folder[512];
    Text text(folder, sizeof folder);
    text << std::string_view(path.data(), path.size() - base_name(path).size());
    if (text.cut()) return;
    fd_ = sys::open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd_ < 0) return;
    while (sys::call(SYS_flock, fd_, LOCK_EX | LOCK_NB) == -EWOULDBLOCK && attempts > 0) {
        const struct timespec pause = {0, 1'000'000};
        --attempts;
        sys::call(SYS_nanosleep, &pause, 0L);
    }
}

FolderLock::~FolderLock() {
    if (fd_ >= 0) sys::close(fd_);
}

Attempt remove_folder(const Leak& leak, const Users& users) { return Folder(leak, users).remove(); }

}  // namespace leftover::hand
