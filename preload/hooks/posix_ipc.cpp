// POSIX semaphores and shared memory by name. glibc keeps both as files in /dev/shm, a semaphore NAME as
// sem.NAME: what a name means is decided there, and the inode tells one object of a name from the next.
#include <fcntl.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdarg>

#include "preload/core/clock.h"
#include "preload/core/pending.h"
#include "preload/core/sys.h"
#include "preload/hooks/descriptor.h"
#include "preload/hooks/named.h"

namespace leftover {

namespace {

// "/name" for any way to write it, in `buffer`; empty when no object can have that name. A name that cannot
// be read ends the program here as it would in libc, which reads it itself; for that no guard must be held.
std::string_view object_name(const char* name, Text& text) {
    if (name == nullptr) return {};
    while (*name == '/') ++name;
    if (*name == 0 || length(name) > 255) return {};
    text << '/' << name;
    return text.view();
}

// A name's slot, of which the descriptor's stack is the same.
struct Opened {
    int fd;
    const Mapping* mapping = nullptr;
    record::ItemId stack = 0;
};

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

// Whether others may make and remove objects of that name as well, so that nothing but the inode tells whose
// is there. Who asks for O_EXCL means the name to be its own. (What is put off needs a name that is at hand.)
bool is_shared_name(int flags, std::string_view name) {
    return (flags & O_EXCL) == 0 || name.size() > record::inline_name_size;
}

// Whether the object of that name belongs to this user, and is none that is refused to who may create it: a folder.
bool is_own(std::string_view name) {
    char path[288];
    Text(path, sizeof path) << "/dev/shm" << name;
    struct stat status;
    return sys::stat(path, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
           (S_ISREG(status.st_mode) && status.st_uid == static_cast<uid_t>(sys::call(SYS_geteuid)));
}

// `bound` is the real call once Entry has bound it.
Opened open_shared_memory(int (**bound)(const char*, int, mode_t), const ObjectName& object, const char* name, int flags,
                          mode_t mode) {
    Entry entry(Kind::shared_memory);
    const auto real = *bound;
    if (!entry || (flags & O_CREAT) == 0 || object.name.empty()) return {real(name, flags, mode)};
    SlotRef slot = intend_name(Kind::shared_memory, object.name);
    Mapping* const mapping = slot.mapping;
    const record::ItemId stack = slot ? slot.slot->stack.load(std::memory_order_relaxed) : 0;
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
        // Who found one does not mean to create it: when all are killed, there are fewer to choose from.
        drop_intent(slot);
        slot = {};
        fd = real(name, flags & ~O_CREAT, mode);
        if (fd >= 0 || errno != ENOENT) break;
        slot = intend_name(Kind::shared_memory, object.name);
    }
    if (fd < 0 || !created) {
        drop_intent(slot);
    } else if (is_shared_name(flags, object.name)) {
        confirm_descriptor(slot, fd);
    } else {
        confirm_later(slot, fd);
    }
    return {fd, mapping, stack};
}

// With O_EXCL, whatever `flags` say.
sem_t* create_semaphore(sem_t* (*real)(const char*, int, ...), const ObjectName& object, const char* name, int flags,
                        mode_t mode, unsigned value) {
    const SlotRef slot = intend_name(Kind::semaphore, object.name);
    sem_t* const semaphore = real_open_semaphore(real, name, flags | O_EXCL, mode, value);
    if (semaphore == SEM_FAILED) {
        drop_intent(slot);
    } else if (object.name.size() > record::inline_name_size) {
        char path[288];
        Text(path, sizeof path) << "/dev/shm/sem." << behind(object.name, 1);
        if (slot) slot.slot->d.store(realtime_ns(), std::memory_order_relaxed);
        confirm_name(slot, path);
    } else {
        confirm_later(slot);
        if ((flags & O_EXCL) == 0) look_up_pending();
    }
    return semaphore;
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
    const ObjectName object(name);
    Entry entry(Kind::semaphore);
    if (!entry || (flags & O_CREAT) == 0 || object.name.empty()) {
        return real_open_semaphore(real_sem_open, name, flags, mode, value);
    }
    if ((flags & O_EXCL) != 0) return create_semaphore(real_sem_open, object, name, flags, mode, value);
    // Whether it created or found one, only O_EXCL tells. Opening comes first, as glibc itself does it. Who only
    // found one never meant to create it: when all are killed, there are fewer to choose from.
    sem_t* semaphore = SEM_FAILED;
    for (int tries = 0; tries < 64; ++tries) {
        semaphore = real_open_semaphore(real_sem_open, name, flags & ~O_CREAT, mode, value);
        if (semaphore != SEM_FAILED || errno != ENOENT) break;
        semaphore = create_semaphore(real_sem_open, object, name, flags, mode, value);
        if (semaphore != SEM_FAILED || errno != EEXIST) break;
    }
    return semaphore;
}

HOOK(int, sem_unlink, const char* name) {
    const ObjectName object(name);
    Entry entry(Kind::semaphore);
    if (!entry || object.name.empty()) return real_sem_unlink(name);
    const Removal removal(Kind::semaphore, object.name);
    const int result = real_sem_unlink(name);
    if (result == 0) removal.done();
    return result;
}

HOOK(int, shm_open, const char* name, int flags, mode_t mode) {
    const ObjectName object(name);
    const Opened opened = open_shared_memory(&real_shm_open, object, name, flags, mode);
    if (opened.fd <= 2 || !wants_descriptors()) return opened.fd;
    char path[sizeof record::Descriptor::name];
    note_opened(opened.fd, (Text(path, sizeof path) << "/dev/shm" << object.name).view(), opened.mapping, opened.stack);
    return opened.fd;
}

HOOK(int, shm_unlink, const char* name) {
    const ObjectName object(name);
    Entry entry(Kind::shared_memory);
    if (!entry || object.name.empty()) return real_shm_unlink(name);
    const Removal removal(Kind::shared_memory, object.name);
    const int result = real_shm_unlink(name);
    if (result == 0) removal.done();
    return result;
}

}  // namespace leftover
