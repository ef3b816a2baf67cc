#include "preload/hand/users.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "preload/core/process.h"
#include "preload/core/sys.h"
#include "preload/core/text.h"
#include "preload/hand/folder.h"
#include "preload/hand/lines.h"

namespace leftover::hand {

namespace {

constexpr std::string_view used = "in use by another process";
constexpr std::string_view unknown = "perhaps in use: a process may not be looked into";
constexpr std::string_view unseen = "in use by a process that is not to be seen here";

std::uint64_t key_of(std::uint64_t device, std::uint64_t inode) { return mix(device, inode); }

// As stat's st_dev packs them.
std::uint64_t device_of(std::uint64_t major, std::uint64_t minor) {
    return (major & 0xfffff000) << 32 | (major & 0xfff) << 8 | (minor & 0xffffff00) << 12 |
           (minor & 0xff);
}

struct Mapped {
    std::uint64_t begin, end, device, inode;
    std::string_view rights, name;
};

// 7f..-7f.. rw-s 00000000 00:1a 77    /dev/shm/name
bool parse_mapping(std::string_view line, Mapped& mapped) {
    std::string_view range = take_word(line);
    mapped.rights = take_word(line);
    take_word(line);
    std::string_view device = take_word(line);
    std::string_view inode = take_word(line);
    mapped.name = take_word(line);
    std::uint64_t major = 0;
    std::uint64_t minor = 0;
    if (!take_number(range, mapped.begin, 16) || !range.starts_with('-')) return false;
    range.remove_prefix(1);
    if (!take_number(range, mapped.end, 16) || !take_number(device, major, 16) ||
        !device.starts_with(':')) {
        return false;
    }
    device.remove_prefix(1);
    if (!take_number(device, minor, 16) || !take_number(inode, mapped.inode)) return false;
    mapped.device = device_of(major, minor);
    return true;
}

// In place of a mapping of a file a private copy: whoever goes on in here reads what there was.
void replace_by_copy(const Mapped& mapped) {
    constexpr std::uint64_t most_to_copy = 64 << 20;
    const std::size_t size = mapped.end - mapped.begin;
    void* const copy =
        sys::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (copy == nullptr) return;
    void* const place = reinterpret_cast<void*>(mapped.begin);
    if (mapped.rights.starts_with('r') && size <= most_to_copy) {
        // A file that was made shorter has no pages at its end; to read these would be the end of us.
        struct Part {
            void* base;
            std::size_t size;
        } to = {copy, size}, from = {place, size};
        sys::call(SYS_process_vm_readv, identity.pid, &to, 1, &from, 1, 0);
    }
    int protection = 0;
    if (mapped.rights.starts_with('r')) protection |= PROT_READ;
    if (mapped.rights.size() > 1 && mapped.rights[1] == 'w') protection |= PROT_WRITE;
    sys::call(SYS_mprotect, copy, size, protection);
    constexpr int may_move_to = 3;  // MREMAP_MAYMOVE | MREMAP_FIXED
    const long moved = sys::call(SYS_mremap, copy, size, size, may_move_to, place);
    if (sys::failed(moved)) sys::munmap(copy, size);
}

// The file's own mappings are found one by one: the list changes with each.
void let_go_of_mappings(std::uint64_t device, std::uint64_t inode) {
    constexpr int most = 4096;
    for (int count = 0; count < most; ++count) {
        Mapped found = {};
        char rights[8] = {};
        bool any = false;
        each_line("/proc/self/maps", [&](std::string_view line) {
            Mapped mapped;
            if (any || !parse_mapping(line, mapped)) return;
            if (mapped.device != device || mapped.inode != inode) return;
            any = true;
            found = mapped;
            Text(rights, sizeof rights) << mapped.rights;
        });
        if (!any) return;
        found.rights = rights;
        replace_by_copy(found);
    }
}

void let_go_of_descriptors(long but, std::uint64_t device, std::uint64_t inode) {
    const long folder = sys::open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (sys::failed(folder)) return;
    const long null = sys::open("/dev/null", O_RDWR | O_CLOEXEC);
    each_name(folder, [&](const char* name) {
        std::string_view digits(name);
        std::uint64_t fd = 0;
        struct stat facts;
        if (!take_number(digits, fd) || static_cast<long>(fd) == but) return true;
        if (sys::fstat(static_cast<int>(fd), &facts) != 0) return true;
        if (facts.st_dev != device || facts.st_ino != inode) return true;
        if (null >= 0) sys::call(SYS_dup3, null, fd, O_CLOEXEC);
        return true;
    });
    if (null >= 0) sys::close(null);
    sys::close(folder);
}

// Calls `visit(device, inode)` for each file that the process uses. False when it may not be looked into.
template <class Visit>
bool each_file(const char* number, Visit visit) {
    char path[48];
    const auto below = [&](std::string_view file) {
        Text(path, sizeof path) << "/proc/" << number << '/' << file;
        return path;
    };
    struct stat facts;
    const long folder = sys::open(below("fd"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (sys::failed(folder)) {
        const bool ours = sys::stat(below(""), &facts) == 0 &&
                          facts.st_uid == static_cast<uid_t>(sys::call(SYS_getuid));
        return !((folder == -EACCES || folder == -EPERM) && ours);
    }
    each_name(folder, [&](const char* name) {
        if (sys::call(SYS_newfstatat, folder, name, &facts, 0) == 0) visit(facts.st_dev, facts.st_ino);
        return true;
    });
    sys::close(folder);
    each_line(below("maps"), [&](std::string_view line) {
        Mapped mapped;
        if (parse_mapping(line, mapped) && mapped.inode != 0) visit(mapped.device, mapped.inode);
    });
    for (const std::string_view link : {"cwd", "root", "exe"}) {
        if (sys::stat(below(link), &facts) == 0) visit(facts.st_dev, facts.st_ino);
    }
    return true;
}

enum class Lease { granted, refused, not_offered };

// Held no longer than this call. Who opens the file meanwhile makes the kernel send a signal: to this
// thread, which has it blocked and takes it back.
Lease ask_for_lease(long fd) {
    struct {
        int type;
        pid_t pid;
    } owner = {0, sys::gettid()};  // F_OWNER_TID
    constexpr int set_owner = 15;  // F_SETOWN_EX
    sys::call(SYS_fcntl, fd, set_owner, &owner);
    const long result = sys::call(SYS_fcntl, fd, F_SETLEASE, F_WRLCK);
    if (result == 0) {
        sys::call(SYS_fcntl, fd, F_SETLEASE, F_UNLCK);
        return Lease::granted;
    }
    return result == -EAGAIN || result == -EBUSY ? Lease::refused : Lease::not_offered;
}

}  // namespace

Use use_of(const char* number, std::uint64_t device, std::uint64_t inode) {
    bool found = false;
    const bool readable = each_file(number, [&](std::uint64_t its_device, std::uint64_t its_inode) {
        found = found || (its_device == device && its_inode == inode);
    });
    if (found) return Use::some;
    return readable ? Use::none : Use::unknown;
}

Users::Users(Pool& pool) : pool_(pool) {
    const long proc = sys::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (sys::failed(proc)) return;
    each_name(proc, [&](const char* name) {
        std::string_view digits(name);
        std::uint64_t pid = 0;
        if (take_number(digits, pid) && digits.empty() && static_cast<pid_t>(pid) != identity.pid) {
            look_at_process(name);
        }
        return true;
    });
    sys::close(proc);
}

void Users::look_at_process(const char* number) {
    const bool readable = each_file(number, [&](std::uint64_t device, std::uint64_t inode) {
        bool is_new = false;
        files_.enter(pool_, key_of(device, inode), 1, is_new);
    });
    unreadable_ = unreadable_ || !readable;
}

std::string_view Users::of(std::uint64_t device, std::uint64_t inode) const {
    if (files_.find(key_of(device, inode)) != nullptr) return used;
    return unreadable_ ? unknown : std::string_view();
}

std::string_view Users::of_open(long fd, std::uint64_t device, std::uint64_t inode) const {
    if (files_.find(key_of(device, inode)) != nullptr) return used;
    Lease lease = ask_for_lease(fd);
    if (lease == Lease::refused) {
        let_go_of_mappings(device, inode);
        let_go_of_descriptors(fd, device, inode);
        lease = ask_for_lease(fd);
    }
    // Another cleaner may be looking at it for a moment.
    for (int attempt = 0; attempt < 3 && lease == Lease::refused; ++attempt) {
        const struct timespec pause = {0, 2'000'000};
        sys::call(SYS_nanosleep, &pause, 0L);
        lease = ask_for_lease(fd);
    }
    if (lease == Lease::not_offered) return of(device, inode);
    return lease == Lease::granted ? std::string_view() : unseen;
}

std::string_view Users::of_socket(std::string_view path) const {
    bool bound = false;
    each_line("/proc/self/net/unix", [&](std::string_view line) {
        // Num       RefCount Protocol Flags    Type St Inode Path
        for (int i = 0; i < 6; ++i) take_word(line);
        std::string_view inode = take_word(line);
        std::uint64_t number = 0;
        while (line.starts_with(' ')) line.remove_prefix(1);
        if (line.empty() || !take_number(inode, number)) return;
        // A relative path is whatever its process had for a working folder then: better one too many.
        const bool same = line.starts_with('/') ? line == path
                                                : !line.starts_with('@') && base_name(line) == base_name(path);
        if (!same) return;
        // One that only we have open goes with us.
        bool own = false;
        const long folder = sys::open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        std::uint64_t device = 0;
        each_name(folder, [&](const char* name) {
            struct stat facts;
            if (sys::call(SYS_newfstatat, folder, name, &facts, 0) != 0) return true;
            own = S_ISSOCK(facts.st_mode) && facts.st_ino == number;
            device = facts.st_dev;
            return !own;
        });
        if (!sys::failed(folder)) sys::close(folder);
        bound = bound || !own || files_.find(key_of(device, number)) != nullptr;
    });
    return bound ? std::string_view("in use: a process has the socket open") : std::string_view();
}

std::uint64_t Users::own_attachments(std::uint64_t id) const {
    std::uint64_t count = 0;
    each_line("/proc/self/maps", [&](std::string_view line) {
        Mapped mapped;
        if (parse_mapping(line, mapped) && mapped.inode == id && mapped.name.starts_with("/SYSV")) ++count;
    });
    return count;
}

}  // namespace leftover::hand
