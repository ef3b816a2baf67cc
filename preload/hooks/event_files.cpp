// Descriptors of what is no file: named as the kernel names them in /proc.
#include <fcntl.h>
#include <signal.h>
#include <sys/types.h>
#include <time.h>

#include "preload/hooks/descriptor.h"

namespace leftover {

HOOK(int, epoll_create, int size) {
    bind_early();
    return opened_as(real_epoll_create(size), "anon_inode:[eventpoll]");
}

HOOK(int, epoll_create1, int flags) {
    bind_early();
    return opened_as(real_epoll_create1(flags), "anon_inode:[eventpoll]");
}

HOOK(int, eventfd, unsigned count, int flags) {
    bind_early();
    return opened_as(real_eventfd(count, flags), "anon_inode:[eventfd]");
}

// With a descriptor it changes that one.
HOOK(int, signalfd, int fd, const sigset_t* signals, int flags) {
    bind_early();
    const int result = real_signalfd(fd, signals, flags);
    return fd == -1 ? opened_as(result, "anon_inode:[signalfd]") : result;
}

HOOK(int, timerfd_create, clockid_t clock, int flags) {
    bind_early();
    return opened_as(real_timerfd_create(clock, flags), "anon_inode:[timerfd]");
}

HOOK(int, inotify_init, ) {
    bind_early();
    return opened_as(real_inotify_init(), "anon_inode:inotify");
}

HOOK(int, inotify_init1, int flags) {
    bind_early();
    return opened_as(real_inotify_init1(flags), "anon_inode:inotify");
}

HOOK(int, fanotify_init, unsigned flags, unsigned event_flags) {
    bind_early();
    return opened_as(real_fanotify_init(flags, event_flags), "anon_inode:[fanotify]");
}

HOOK(int, memfd_create, const char* name, unsigned flags) {
    bind_early();
    const int fd = real_memfd_create(name, flags);
    if (fd <= 2 || !wants_descriptors()) return fd;
    char target[sizeof record::Descriptor::name];
    note_opened(fd, (Text(target, sizeof target) << "/memfd:" << name << " (deleted)").view());
    return fd;
}

HOOK(int, pidfd_open, pid_t pid, unsigned flags) {
    bind_early();
    return opened_as(real_pidfd_open(pid, flags), "anon_inode:[pidfd]");
}

// What it is of another process's is not known before the end.
HOOK(int, pidfd_getfd, int pidfd, int target, unsigned flags) {
    bind_early();
    return opened_as(real_pidfd_getfd(pidfd, target, flags), {});
}

HOOK(int, open_by_handle_at, int mount, struct file_handle* handle, int flags) {
    bind_early();
    return opened_as(real_open_by_handle_at(mount, handle, flags), {});
}

HOOK(int, open_tree, int dirfd, const char* path, unsigned flags) {
    bind_early();
    return opened_path(real_open_tree(dirfd, path, flags), path);
}

HOOK(int, fsopen, const char* type, unsigned flags) {
    bind_early();
    return opened_as(real_fsopen(type, flags), "anon_inode:[fscontext]");
}

HOOK(int, fspick, int dirfd, const char* path, unsigned flags) {
    bind_early();
    return opened_as(real_fspick(dirfd, path, flags), "anon_inode:[fscontext]");
}

HOOK(int, fsmount, int context, unsigned flags, unsigned attributes) {
    bind_early();
    return opened_as(real_fsmount(context, flags, attributes), "/");
}

}  // namespace leftover
