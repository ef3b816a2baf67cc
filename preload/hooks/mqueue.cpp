// POSIX message queues. They live in a file system of the IPC namespace, mounted or not; the inode, which
// a queue's descriptor shows as any other does, tells one queue of a name from the next.
#include <fcntl.h>
#include <mqueue.h>

#include <cerrno>
#include <cstdarg>

#include "preload/core/sys.h"
#include "preload/hooks/descriptor.h"
#include "preload/hooks/named.h"

namespace leftover {

namespace {

// The name with its slash; empty when no queue can have it. Only one slash is taken off, and what is
// behind it is a single name (mq_overview(7)).
std::string_view queue_name(const char* name) {
    if (!sys::readable(name) || name[0] != '/' || name[1] == 0) return {};
    const std::string_view whole(name, length(name));
    if (whole.size() > 256 || behind(whole, 1).find('/') != std::string_view::npos) return {};
    return whole;
}

// A queue may be removed between two looks, and made anew, again and again.
constexpr int most_tries = 64;

mqd_t open_queue(mqd_t (*real)(const char*, int, ...), const char* name, int flags, mode_t mode,
                 struct mq_attr* attributes) {
    Entry entry(Kind::message_queue);
    const std::string_view queue = entry && (flags & O_CREAT) != 0 ? queue_name(name) : std::string_view{};
    if (queue.empty()) return real(name, flags, mode, attributes);
    const int before = errno;
    // Whether it created or found one, only O_EXCL tells.
    for (int tries = 0; tries < most_tries; ++tries) {
        const SlotRef slot = intend_name(Kind::message_queue, queue);
        mqd_t fd = real(name, flags | O_EXCL, mode, attributes);
        if (fd >= 0) {
            confirm_descriptor(slot, fd);
            return fd;
        }
        drop_intent(slot);
        if (errno != EEXIST || (flags & O_EXCL) != 0) return fd;
        errno = before;
        fd = real(name, flags & ~O_CREAT, mode, attributes);
        if (fd >= 0 || errno != ENOENT) return fd;
        errno = before;
    }
    return real(name, flags, mode, attributes);
}

}  // namespace

HOOK(mqd_t, mq_open, const char* name, int flags, ...) {
    mode_t mode = 0;
    struct mq_attr* attributes = nullptr;
    if ((flags & O_CREAT) != 0) {
        va_list rest;
        va_start(rest, flags);
        mode = va_arg(rest, mode_t);
        attributes = va_arg(rest, struct mq_attr*);
        va_end(rest);
    }
    bind_early();
    const auto real = reinterpret_cast<mqd_t (*)(const char*, int, ...)>(real_mq_open);
    return opened_path(open_queue(real, name, flags, mode, attributes), name);
}

// _FORTIFY_SOURCE makes this of a call without a mode; it ends the program if that asks for O_CREAT.
HOOK(mqd_t, __mq_open_2, const char* name, int flags) {
    bind_early();
    return opened_path(real___mq_open_2(name, flags), name);
}

HOOK(int, mq_unlink, const char* name) {
    Entry entry(Kind::message_queue);
    const std::string_view queue = entry ? queue_name(name) : std::string_view{};
    if (queue.empty()) return real_mq_unlink(name);
    const Removal removal(Kind::message_queue, queue);
    const int result = real_mq_unlink(name);
    if (result == 0) removal.done();
    return result;
}

}  // namespace leftover
