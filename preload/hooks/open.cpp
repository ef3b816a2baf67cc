// The open family: files made directly in /dev/shm.
#include <fcntl.h>

#include <cerrno>
#include <cstdarg>

#include "preload/core/sys.h"
#include "preload/hooks/shm_file.h"
#include "preload/hooks/unseen.h"

namespace leftover {

namespace {

bool wants_mode(int flags) { return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE; }

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
    const char* full = path[0] == '/' ? path : resolve_in_shm(dirfd, path, buffer);
    return __builtin_strncmp(full, shm_folder, shm_folder_size) == 0 ? full : nullptr;
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

int open_unseen(const char* path, int flags, mode_t mode) { return real_open(path, flags, mode); }

}  // namespace leftover
