// The open family: descriptors; files made directly in /dev/shm, and those that CPython's tempfile makes
// anywhere.
#include <fcntl.h>

#include <cerrno>
#include <cstdarg>

#include "preload/hooks/descriptor.h"
#include "preload/hooks/paths.h"
#include "preload/hooks/shm_file.h"
#include "preload/hooks/tempfile.h"
#include "preload/hooks/unseen.h"

namespace leftover {

namespace {

bool wants_mode(int flags) { return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE; }

// `open(flags)` is the real call. Whether it created the file, only O_EXCL tells.
template <class Open>
int open_in_shm(std::string_view name, int flags, Open open) {
    Entry entry(Kind::shared_memory);
    if (!entry) return open(flags);
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

template <class Open>
int open_by_tempfile(std::string_view path, int flags, Open open) {
    Entry entry(Kind::temporary_file);
    const SlotRef slot = entry ? intend_by_tempfile(Kind::temporary_file, path) : SlotRef{};
    const int fd = open(flags);
    if (fd >= 0) {
        confirm_descriptor(slot, fd);
    } else {
        drop_intent(slot);
    }
    return fd;
}

// An open that may create. What programs create is theirs, but for these two.
template <class Open>
int create(int dirfd, const char* path, int flags, const void* caller, Open open) {
    const auto wanted = [](Kind kind) { return (options.kinds & record::bit(kind)) != 0; };
    const bool by_python = (flags & O_EXCL) != 0 && wanted(Kind::temporary_file) && may_be_tempfile(caller);
    if (!recording.load(std::memory_order_relaxed) || (!by_python && !wanted(Kind::shared_memory))) return open(flags);
    const FullPath full(dirfd, path);
    const std::string_view shared = shm_name(full.view());
    if (!shared.empty()) return open_in_shm(shared, flags, open);
    if (by_python && !full.empty()) return open_by_tempfile(full.view(), flags, open);
    return open(flags);
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
        bind_early();                                                                        \
        const auto real = reinterpret_cast<int (*)(const char*, int, ...)>(real_##NAME);     \
        if ((flags & O_CREAT) == 0) return opened_path(real(path, flags, mode), path);       \
        const int fd = create(AT_FDCWD, path, flags, __builtin_return_address(0),            \
                              [&](int with) { return real(path, with, mode); });             \
        return opened_path(fd, path);                                                        \
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
        bind_early();                                                                              \
        const auto real = reinterpret_cast<int (*)(int, const char*, int, ...)>(real_##NAME);      \
        if ((flags & O_CREAT) == 0) return opened_path(real(dirfd, path, flags, mode), path);      \
        const int fd = create(dirfd, path, flags, __builtin_return_address(0),                     \
                              [&](int with) { return real(dirfd, path, with, mode); });            \
        return opened_path(fd, path);                                                              \
    }

OPENAT_HOOK(openat)
OPENAT_HOOK(openat64)

HOOK(int, creat, const char* path, mode_t mode) {
    bind_early();
    constexpr int flags = O_CREAT | O_WRONLY | O_TRUNC;
    const int fd = create(AT_FDCWD, path, flags, __builtin_return_address(0), [&](int with) {
        return with == flags ? real_creat(path, mode) : real_open(path, with, mode);
    });
    return opened_path(fd, path);
}

HOOK(int, creat64, const char* path, mode_t mode) {
    bind_early();
    constexpr int flags = O_CREAT | O_WRONLY | O_TRUNC | O_LARGEFILE;
    const int fd = create(AT_FDCWD, path, flags, __builtin_return_address(0), [&](int with) {
        return with == flags ? real_creat64(path, mode) : real_open(path, with, mode);
    });
    return opened_path(fd, path);
}

// _FORTIFY_SOURCE makes these of an open without a mode, and they end the program if it asks for O_CREAT.
HOOK(int, __open_2, const char* path, int flags) {
    bind_early();
    return opened_path(real___open_2(path, flags), path);
}

HOOK(int, __open64_2, const char* path, int flags) {
    bind_early();
    return opened_path(real___open64_2(path, flags), path);
}

HOOK(int, __openat_2, int dirfd, const char* path, int flags) {
    bind_early();
    return opened_path(real___openat_2(dirfd, path, flags), path);
}

HOOK(int, __openat64_2, int dirfd, const char* path, int flags) {
    bind_early();
    return opened_path(real___openat64_2(dirfd, path, flags), path);
}

int open_unseen(const char* path, int flags, mode_t mode) { return real_open(path, flags, mode); }

}  // namespace leftover
