// POSIX semaphores and shared memory by name. glibc keeps both as files in /dev/shm, a semaphore NAME as
// sem.NAME: what a name means is decided there, and the inode tells one object of a name from the next.
#include <fcntl.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdarg>

#include "preload/core/pending.h"
#include "preload/core/sys.h"
#include "preload/hooks/descriptor.h"
#include "preload/hooks/named.h"

namespace leftover {

namespace {

// "/name" for any way to write it, in `buffer`; empty when no object can have that name.
std::string_view object_name(const char* name, Text& text) {
    if (name == nullptr || !sys::readable(name)) return {};
    while (*name == '/') ++name;
    if (*name == 0 || length(name) > 255) return {};
    text << '/' << name;
    return text.view();
}

struct ObjectName {
    char buffer[260];
    std::string_view name;
    explicit ObjectName(const char* given) {
        Text text(buffer, sizeof buffer);
        name = object_name(given, text);
    }
};

sem_t* real_open_semaphore(sem_t* (*real)(const char*, int, ...), const char* name, int flags, mode_t mode,
                           unsigned value) {
    return real(name, flags, mode, value);
}

// `bound` is the real call once Entry has bound it.
// Whether the object of that name belongs to this user.
bool is_own(std::string_view name) {
    char path[288];
    Text(path, sizeof path) << "/dev/shm" << name;
    struct stat status;
    return sys::stat(path, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
           status.st_uid == static_cast<uid_t>(sys::call(SYS_geteuid));
}

int open_shared_memory(int (**bound)(const char*, int, mode_t), const char* name, int flags, mode_t mode) {
    Entry entry(Kind::shared_memory);
    const auto real = *bound;
    const ObjectName object(name);
    if (!entry || (flags & O_CREAT) == 0 || object.name.empty()) return real(name, flags, mode);
    const SlotRef slot = intend_name(Kind::shared_memory, object.name);
    const int before = errno;
    int fd = -1;
    bool created = false;
    // Whether it created or found one, only O_EXCL tells; others may remove it and make it anew meanwhile,
    // again and again.
    for (int tries = 0; tries < 64; ++tries) {
        errno = before;
        fd = real(name, flags | O_EXCL, mode);
        created = fd >= 0;
        if (created || errno != EEXIST || (flags & O_EXCL) != 0) break;
        errno = before;
        if (!is_own(object.name)) {
            // O_CREAT may be refused there (fs.protected_regular) where opening would not be.
            fd = real(name, flags, mode);
            created = fd >= 0 && born_after(fd, slot);
            break;
        }
        fd = real(name, flags & ~O_CREAT, mode);
        if (fd >= 0 || errno != ENOENT) break;
    }
    if (fd >= 0 && created) {
        confirm_descriptor(slot, fd);
    } else {
        drop_intent(slot);
    }
    return fd;
}

}  // namespace

HOOK(sem_t*, sem_open, const char* name, int flags, ...) {
    mode_t mode = 0;
    unsigned value = 0;
    if ((flags & O_CREAT) != 0) {
        va_list rest;
        va_start(rest, flags);
        mode = va_arg(rest, mode_t);
        value = va_arg(rest, unsigned);
        va_end(rest);
    }
    Entry entry(Kind::semaphore);
    const ObjectName object(name);
    if (!entry || (flags & O_CREAT) == 0 || object.name.empty()) {
        return real_open_semaphore(real_sem_open, name, flags, mode, value);
    }
    const SlotRef slot = intend_name(Kind::semaphore, object.name);
    // Whether it created or found one, only O_EXCL tells. Opening comes first, as glibc itself does it.
    sem_t* semaphore = SEM_FAILED;
    bool created = false;
    if ((flags & O_EXCL) != 0) {
        semaphore = real_open_semaphore(real_sem_open, name, flags, mode, value);
        created = semaphore != SEM_FAILED;
    } else {
        for (int tries = 0; tries < 64; ++tries) {
            semaphore = real_open_semaphore(real_sem_open, name, flags & ~O_CREAT, mode, value);
            if (semaphore != SEM_FAILED || errno != ENOENT) break;
            semaphore = real_open_semaphore(real_sem_open, name, flags | O_EXCL, mode, value);
            created = semaphore != SEM_FAILED;
            if (created || errno != EEXIST) break;
        }
    }
    if (!created) {
        drop_intent(slot);
    } else if (object.name.size() > record::inline_name_size) {
        char path[288];
        Text(path, sizeof path) << "/dev/shm/sem." << behind(object.name, 1);
        confirm_name(slot, path);
    } else {
        confirm_later(slot);
    }
    return semaphore;
}

HOOK(int, sem_unlink, const char* name) {
    Entry entry(Kind::semaphore);
    const ObjectName object(name);
    if (!entry || object.name.empty()) return real_sem_unlink(name);
    const SlotRef slot = find_slot(Kind::semaphore, object.name);
    const int result = real_sem_unlink(name);
    if (result == 0) drop_intent(slot);
    return result;
}

HOOK(int, shm_open, const char* name, int flags, mode_t mode) {
    const int fd = open_shared_memory(&real_shm_open, name, flags, mode);
    if (fd <= 2 || !wants_descriptors()) return fd;
    char path[sizeof record::Descriptor::name];
    note_opened(fd, (Text(path, sizeof path) << "/dev/shm" << ObjectName(name).name).view());
    return fd;
}

HOOK(int, shm_unlink, const char* name) {
    Entry entry(Kind::shared_memory);
    const ObjectName object(name);
    if (!entry || object.name.empty()) return real_shm_unlink(name);
    const SlotRef slot = find_slot(Kind::shared_memory, object.name);
    const int result = real_shm_unlink(name);
    if (result == 0) drop_intent(slot);
    return result;
}

}  // namespace leftover
