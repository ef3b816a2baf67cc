// Files made directly in /dev/shm: shared memory by another name, once they are mapped shared (or made by
// mkstemp or CPython's tempfile). Everywhere else files are no business of ours here, and a path that
// does not begin with /dev/shm/ costs these hooks a comparison.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>

#include "preload/core/clock.h"
#include "preload/core/modules.h"
#include "preload/hooks/named.h"

namespace leftover {

namespace {

constexpr char folder[] = "/dev/shm/";
constexpr std::size_t folder_size = sizeof folder - 1;

// Files that count only once they are mapped: while there are none, mmap has nothing to look for.
std::atomic<std::uint32_t> unmapped_files{0};

// "/name" when the path lies directly in /dev/shm, else empty.
std::string_view shm_name(const char* path) {
    if (path == nullptr || __builtin_strncmp(path, folder, folder_size) != 0) return {};
    const char* name = path + folder_size;
    if (*name == 0 || __builtin_strchr(name, '/') != nullptr) return {};
    return {name - 1, length(name) + 1};
}

// A bare name in the working directory or in a descriptor's: its path, when that directory is /dev/shm,
// else `path` as it is.
const char* resolve(int dirfd, const char* path, char (&buffer)[288]) {
    if (path == nullptr || *path == 0 || __builtin_strchr(path, '/') != nullptr) return path;
    char directory[16];
    long size;
    if (dirfd == AT_FDCWD) {
        size = sys::call(SYS_getcwd, directory, sizeof directory);
        if (size > 0) --size;  // counts the NUL
    } else {
        char link[40];
        Text text(link, sizeof link);
        text << "/proc/self/fd/";
        text.number(static_cast<std::uint64_t>(dirfd));
        size = sys::readlink(link, directory, sizeof directory);
    }
    if (size != static_cast<long>(folder_size) - 1 || __builtin_memcmp(directory, folder, folder_size - 1) != 0) {
        return path;
    }
    Text text(buffer, sizeof buffer);
    text << folder << path;
    return text.cut() ? path : buffer;
}

bool wants_mode(int flags) { return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE; }

// What unlink, rename or link of a path in /dev/shm ends: the object that was made there. A semaphore's
// file is one like any other.
SlotRef find_path(const char* path) {
    const std::string_view name = shm_name(path);
    if (name.empty()) return {};
    constexpr std::string_view semaphore = "/sem.";
    if (name.starts_with(semaphore) && name.size() > semaphore.size()) {
        char buffer[264];
        Text text(buffer, sizeof buffer);
        text << '/' << behind(name, semaphore.size());
        if (SlotRef found = find_slot(Kind::semaphore, text.view())) return found;
    }
    return find_slot(Kind::shared_memory, name);
}

void ended(const SlotRef& slot) {
    if (!slot) return;
    if ((slot.slot->flags.load(std::memory_order_relaxed) & record::unmapped) != 0) {
        unmapped_files.fetch_sub(1, std::memory_order_relaxed);
    }
    release_slot(slot);
}

// `open(flags)` is the real call. Whether it created the file, only O_EXCL tells.
template <class Open>
int open_in_shm(const char* path, int flags, Open open) {
    Entry entry(Kind::shared_memory);
    const std::string_view name = entry ? shm_name(path) : std::string_view{};
    if (name.empty()) return open(flags);
    const SlotRef slot = intend_name(Kind::shared_memory, name);
    const bool by_tempfile = slot && innermost_frame_is_tempfile();
    // Until it is mapped it may be anything: an intent that counts for nothing.
    if (slot && !by_tempfile) slot.slot->flags.fetch_or(record::unmapped, std::memory_order_relaxed);
    const int before = errno;
    int fd = open(flags | O_EXCL);
    bool created = fd >= 0;
    if (fd < 0 && errno == EEXIST && (flags & O_EXCL) == 0) {
        errno = before;
        fd = open(flags);
        created = fd >= 0 && born_after(fd, slot);
    }
    if (!created) {
        drop_intent(slot);
    } else {
        if (slot && !by_tempfile) unmapped_files.fetch_add(1, std::memory_order_relaxed);
        confirm_descriptor(slot, fd);
    }
    return fd;
}

// The path in /dev/shm that this open may create, or null.
const char* created_in_shm(int dirfd, const char* path, int flags, char (&buffer)[288]) {
    if ((flags & O_CREAT) == 0 || !sys::readable(path)) return nullptr;
    const char* full = path[0] == '/' ? path : resolve(dirfd, path, buffer);
    return __builtin_strncmp(full, folder, folder_size) == 0 ? full : nullptr;
}

void mapped(int flags, int fd) {
    if (fd < 0 || unmapped_files.load(std::memory_order_relaxed) == 0) return;
    const int type = flags & MAP_TYPE;
    if (type != MAP_SHARED && type != MAP_SHARED_VALIDATE) return;
    Entry entry(Kind::shared_memory);
    struct stat status;
    if (!entry || sys::fstat(fd, &status) != 0) return;
    for (Mapping* mapping : {opened_record(), fresh.inherited}) {
        if (mapping == nullptr || !*mapping) continue;
        each_slot(*mapping, [&](const SlotRef& ref) {
            record::Slot& slot = *ref.slot;
            if (slot.kind != Kind::shared_memory || slot.a.load(std::memory_order_relaxed) != status.st_ino ||
                slot.b.load(std::memory_order_relaxed) != status.st_dev) {
                return;
            }
            constexpr auto bit = static_cast<std::uint8_t>(record::unmapped);
            const auto rest = static_cast<std::uint8_t>(~bit);
            if ((slot.flags.fetch_and(rest, std::memory_order_acq_rel) & bit) != 0) {
                unmapped_files.fetch_sub(1, std::memory_order_relaxed);
            }
        });
    }
}

}  // namespace

#define OPEN_HOOK(NAME)                                                                      \
    HOOK(int, NAME, const char* path, int flags, ...) {                                      \
        mode_t mode = 0;                                                                     \
        if (wants_mode(flags)) {                                                             \
            va_list rest;                                                                    \
            va_start(rest, flags);                                                           \
            mode = va_arg(rest, mode_t);                                                     \
            va_end(rest);                                                                    \
        }                                                                                    \
        if (initialised.load(std::memory_order_acquire) != 2) initialise();                  \
        const auto real = reinterpret_cast<int (*)(const char*, int, ...)>(real_##NAME);     \
        char buffer[288];                                                                    \
        const char* full = created_in_shm(AT_FDCWD, path, flags, buffer);                    \
        if (full == nullptr) return real(path, flags, mode);                                 \
        return open_in_shm(full, flags, [&](int with) { return real(path, with, mode); });   \
    }

OPEN_HOOK(open)
OPEN_HOOK(open64)
OPEN_HOOK(__open)
OPEN_HOOK(__open64)

#define OPENAT_HOOK(NAME)                                                                          \
    HOOK(int, NAME, int dirfd, const char* path, int flags, ...) {                                 \
        mode_t mode = 0;                                                                           \
        if (wants_mode(flags)) {                                                                   \
            va_list rest;                                                                          \
            va_start(rest, flags);                                                                 \
            mode = va_arg(rest, mode_t);                                                           \
            va_end(rest);                                                                          \
        }                                                                                          \
        if (initialised.load(std::memory_order_acquire) != 2) initialise();                        \
        const auto real = reinterpret_cast<int (*)(int, const char*, int, ...)>(real_##NAME);      \
        char buffer[288];                                                                          \
        const char* full = created_in_shm(dirfd, path, flags, buffer);                             \
        if (full == nullptr) return real(dirfd, path, flags, mode);                                \
        return open_in_shm(full, flags, [&](int with) { return real(dirfd, path, with, mode); });  \
    }

OPENAT_HOOK(openat)
OPENAT_HOOK(openat64)

HOOK(int, creat, const char* path, mode_t mode) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    constexpr int flags = O_CREAT | O_WRONLY | O_TRUNC;
    char buffer[288];
    const char* full = created_in_shm(AT_FDCWD, path, flags, buffer);
    if (full == nullptr) return real_creat(path, mode);
    return open_in_shm(full, flags, [&](int with) { return real_open(path, with, mode); });
}

HOOK(int, creat64, const char* path, mode_t mode) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    constexpr int flags = O_CREAT | O_WRONLY | O_TRUNC | O_LARGEFILE;
    char buffer[288];
    const char* full = created_in_shm(AT_FDCWD, path, flags, buffer);
    if (full == nullptr) return real_creat64(path, mode);
    return open_in_shm(full, flags, [&](int with) { return real_open(path, with, mode); });
}

namespace {

constexpr char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
constexpr std::size_t random_size = 6;

// As libc's own would make it, but with each name written down before it is tried: after a kill within
// libc's nobody could say whose the file is. `make` is the real call, for patterns that are none.
template <class Make>
int make_in_shm(char* pattern, int suffix, int flags, Make make) {
    Entry entry(Kind::shared_memory);
    if (!entry || !sys::readable(pattern) || shm_name(pattern).empty() || suffix < 0) return make();
    const std::size_t size = length(pattern);
    const auto behind_random = static_cast<std::size_t>(suffix);
    if (size < folder_size + random_size + behind_random) return make();
    char* const random = pattern + size - behind_random - random_size;
    if (__builtin_memcmp(random, "XXXXXX", random_size) != 0) return make();
    const int before = errno;
    for (unsigned tries = 0; tries < 62 * 62 * 62; ++tries) {
        std::uint64_t value = 0;
        if (sys::call(SYS_getrandom, &value, sizeof value, 1 /* GRND_NONBLOCK */) != sizeof value) {
            value = mix(clock_ns(CLOCK_MONOTONIC), reinterpret_cast<std::uintptr_t>(&value) + tries);
        }
        for (std::size_t i = 0; i < random_size; ++i, value /= 62) random[i] = letters[value % 62];
        const SlotRef slot = intend_name(Kind::shared_memory, shm_name(pattern));
        const int fd = real_open(pattern, (flags & ~O_ACCMODE) | O_RDWR | O_CREAT | O_EXCL, 0600);
        if (fd >= 0) {
            confirm_descriptor(slot, fd);
            errno = before;
            return fd;
        }
        drop_intent(slot);
        if (errno != EEXIST) return -1;
    }
    errno = EEXIST;
    return -1;
}

}  // namespace

HOOK(int, mkstemp, char* pattern) {
    return make_in_shm(pattern, 0, 0, [&] { return real_mkstemp(pattern); });
}
HOOK(int, mkstemp64, char* pattern) {
    return make_in_shm(pattern, 0, 0, [&] { return real_mkstemp64(pattern); });
}
HOOK(int, mkostemp, char* pattern, int flags) {
    return make_in_shm(pattern, 0, flags, [&] { return real_mkostemp(pattern, flags); });
}
HOOK(int, mkostemp64, char* pattern, int flags) {
    return make_in_shm(pattern, 0, flags, [&] { return real_mkostemp64(pattern, flags); });
}
HOOK(int, mkstemps, char* pattern, int suffix) {
    return make_in_shm(pattern, suffix, 0, [&] { return real_mkstemps(pattern, suffix); });
}
HOOK(int, mkstemps64, char* pattern, int suffix) {
    return make_in_shm(pattern, suffix, 0, [&] { return real_mkstemps64(pattern, suffix); });
}
HOOK(int, mkostemps, char* pattern, int suffix, int flags) {
    return make_in_shm(pattern, suffix, flags, [&] { return real_mkostemps(pattern, suffix, flags); });
}
HOOK(int, mkostemps64, char* pattern, int suffix, int flags) {
    return make_in_shm(pattern, suffix, flags, [&] { return real_mkostemps64(pattern, suffix, flags); });
}

HOOK(void*, mmap, void* address, std::size_t size, int protection, int flags, int fd, off_t offset) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    void* const result = real_mmap(address, size, protection, flags, fd, offset);
    if (result != MAP_FAILED) mapped(flags, fd);
    return result;
}

HOOK(void*, mmap64, void* address, std::size_t size, int protection, int flags, int fd, off64_t offset) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    void* const result = real_mmap64(address, size, protection, flags, fd, offset);
    if (result != MAP_FAILED) mapped(flags, fd);
    return result;
}

namespace {

bool in_folder(const char* path) {
    return path != nullptr && __builtin_strncmp(path, folder, folder_size) == 0;
}

// A bare name may be meant in /dev/shm; as long as nothing was made there, nobody needs to know.
const char* full_path(int dirfd, const char* path, char (&buffer)[288]) {
    if (!sys::readable(path)) return nullptr;
    if (path[0] == '/') return path;
    const Mapping* mapping = opened_record();
    if (mapping == nullptr) return path;
    const auto made = [&](Kind kind) {
        return mapping->header->counters[static_cast<std::size_t>(kind)].created.load(std::memory_order_relaxed) != 0;
    };
    return made(Kind::shared_memory) || made(Kind::semaphore) ? resolve(dirfd, path, buffer) : path;
}

// Runs `call`, which takes the names given, one or two, away when it succeeds.
template <class Call>
int taking_away(int dirfd, const char* given, int other_dirfd, const char* other_given, Call call) {
    char buffer[288];
    char other_buffer[288];
    const char* path = full_path(dirfd, given, buffer);
    const char* other = full_path(other_dirfd, other_given, other_buffer);
    if (!in_folder(path) && !in_folder(other)) return call();
    Entry entry(record::bit(Kind::shared_memory) | record::bit(Kind::semaphore));
    const SlotRef slot = entry ? find_path(path) : SlotRef{};
    const SlotRef replaced = entry ? find_path(other) : SlotRef{};
    const int result = call();
    if (result == 0) {
        ended(slot);
        ended(replaced);
    }
    return result;
}

}  // namespace

HOOK(int, unlink, const char* path) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    return taking_away(AT_FDCWD, path, AT_FDCWD, nullptr, [&] { return real_unlink(path); });
}
HOOK(int, unlinkat, int dirfd, const char* path, int flags) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    return taking_away(dirfd, path, AT_FDCWD, nullptr, [&] { return real_unlinkat(dirfd, path, flags); });
}
HOOK(int, remove, const char* path) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    return taking_away(AT_FDCWD, path, AT_FDCWD, nullptr, [&] { return real_remove(path); });
}

// A rename takes both names: the old one is gone, and what the new one meant before is replaced.
HOOK(int, rename, const char* from, const char* to) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    return taking_away(AT_FDCWD, from, AT_FDCWD, to, [&] { return real_rename(from, to); });
}
HOOK(int, renameat, int from_dirfd, const char* from, int to_dirfd, const char* to) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    return taking_away(from_dirfd, from, to_dirfd, to, [&] { return real_renameat(from_dirfd, from, to_dirfd, to); });
}
HOOK(int, renameat2, int from_dirfd, const char* from, int to_dirfd, const char* to, unsigned flags) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    return taking_away(from_dirfd, from, to_dirfd, to, [&] { return real_renameat2(from_dirfd, from, to_dirfd, to, flags); });
}

// A link gives the object a name of the user's choice: it is theirs.
HOOK(int, link, const char* from, const char* to) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    return taking_away(AT_FDCWD, from, AT_FDCWD, nullptr, [&] { return real_link(from, to); });
}
HOOK(int, linkat, int from_dirfd, const char* from, int to_dirfd, const char* to, int flags) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    return taking_away(from_dirfd, from, AT_FDCWD, nullptr, [&] { return real_linkat(from_dirfd, from, to_dirfd, to, flags); });
}

HOOK(int, dlclose, void* handle) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    const int result = real_dlclose(handle);
    unload_epoch.fetch_add(1, std::memory_order_acq_rel);
    return result;
}

}  // namespace leftover
