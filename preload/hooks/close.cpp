// What closes descriptors by their numbers. close is a cancellation point, and runs in signal handlers and
// vforked children.
#include <linux/close_range.h>
#include <mqueue.h>
#include <unistd.h>

#include "preload/hooks/descriptor.h"

namespace leftover {

HOOK(int, close, int fd) {
    bind_early();
    closing(fd);
    return real_close(fd);
}

HOOK(int, __close, int fd) {
    bind_early();
    closing(fd);
    return real___close(fd);
}

HOOK(int, close_range, unsigned first, unsigned last, int flags) {
    bind_early();
    if (first <= last && (static_cast<unsigned>(flags) & ~CLOSE_RANGE_UNSHARE) == 0) note_closing_range(first, last);
    return real_close_range(first, last, flags);
}

HOOK(void, closefrom, int first) {
    bind_early();
    note_closing_range(first > 0 ? static_cast<unsigned>(first) : 0, ~0U);
    real_closefrom(first);
}

HOOK(int, mq_close, mqd_t queue) {
    bind_early();
    closing(queue);
    return real_mq_close(queue);
}

}  // namespace leftover
