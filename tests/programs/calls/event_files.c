// calls: epoll_create epoll_create1 eventfd signalfd timerfd_create inotify_init inotify_init1 fanotify_init
// calls: memfd_create pidfd_open pidfd_getfd open_by_handle_at open_tree fsopen fspick fsmount
// calls: posix_openpt getpt openpty login_tty
#include "call.h"

#include <pty.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <utmp.h>

static void tell_target(int fd) {
    char path[64], target[200];
    sprintf(path, "/proc/self/fd/%d", fd);
    const ssize_t size = readlink(path, target, sizeof target);
    if (size > 0) printf("  %.*s\n", (int)size, target);
    if (fd > 2) close(fd);
}

int main(void) {
    sigset_t signals;
    sigemptyset(&signals);
    tell_target(TRY("epoll_create", epoll_create(5)));
    TRY("epoll_create, none", epoll_create(0));
    tell_target(TRY("epoll_create1", epoll_create1(EPOLL_CLOEXEC)));
    TRY("epoll_create1, bad flags", epoll_create1(1));
    tell_target(TRY("eventfd", eventfd(3, EFD_NONBLOCK)));
    TRY("eventfd, bad flags", eventfd(3, 1));
    const int existing = TRY("signalfd", signalfd(-1, &signals, 0));
    TRY("signalfd, again", signalfd(existing, &signals, 0));
    TRY("signalfd of none", signalfd(99, &signals, 0));
    tell_target(existing);
    tell_target(TRY("timerfd_create", timerfd_create(CLOCK_MONOTONIC, 0)));
    TRY("timerfd_create, bad clock", timerfd_create(12345, 0));
    tell_target(TRY("inotify_init", inotify_init()));
    tell_target(TRY("inotify_init1", inotify_init1(IN_NONBLOCK)));
    TRY("inotify_init1, bad flags", inotify_init1(1));
    tell_target(TRY("fanotify_init", fanotify_init(FAN_CLASS_NOTIF, O_RDONLY)));
    TRY("fanotify_init, bad flags", fanotify_init(~0U, 0));
    tell_target(TRY("memfd_create", memfd_create("call", MFD_CLOEXEC)));
    TRY("memfd_create, bad flags", memfd_create("call", 1 << 20));
    TRY("memfd_create, bad address", memfd_create((const char*)8, 0));
    const int process = TRY("pidfd_open", pidfd_open(getpid(), 0));
    TRY("pidfd_open of none", pidfd_open(-1, 0));
    tell_target(TRY("pidfd_getfd", pidfd_getfd(process, 0, 0)));
    TRY("pidfd_getfd of none", pidfd_getfd(process, 99, 0));
    close(process);
    struct {
        struct file_handle head;
        char bytes[128];
    } handle = {{.handle_bytes = 128}};
    int mount = 0;
    TRY("name_to_handle_at", name_to_handle_at(AT_FDCWD, ".", &handle.head, &mount, 0));
    const int folder = open(".", O_RDONLY);
    const int by_handle = open_by_handle_at(folder, &handle.head, O_RDONLY);
    printf("open_by_handle_at %d\n", by_handle >= 0);
    if (by_handle >= 0) close(by_handle);
    TRY("open_by_handle_at, bad", open_by_handle_at(-1, &handle.head, O_RDONLY));
    close(folder);
    const int tree = open_tree(AT_FDCWD, ".", 0);
    printf("open_tree %d\n", tree >= 0);
    if (tree >= 0) close(tree);
    TRY("open_tree of none", open_tree(AT_FDCWD, "absent", 0));
    const int context = fsopen("tmpfs", 0);
    printf("fsopen %d\n", context >= 0);
    TRY("fsopen of none", fsopen("nosuchfs", 0));
    if (context >= 0) {
        TRY("fsconfig", fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
        tell_target(TRY("fsmount", fsmount(context, 0, 0)));
        close(context);
    }
    TRY("fsmount of none", fsmount(-1, 0, 0));
    const int picked = fspick(AT_FDCWD, "/tmp", 0);
    printf("fspick %d\n", picked >= 0);
    if (picked >= 0) close(picked);
    TRY("fspick of none", fspick(AT_FDCWD, "absent", 0));

    const int master = TRY("posix_openpt", posix_openpt(O_RDWR | O_NOCTTY));
    tell_target(master);
    const int other = TRY("getpt", getpt());
    tell_target(other);
    int ends[2] = {-7, -7};
    TRY("openpty", openpty(&ends[0], &ends[1], NULL, NULL, NULL));
    printf("%d %d\n", ends[0], ends[1]);
    if (ends[1] >= 0) {
        const pid_t child = fork();
        if (child == 0) {
            const int result = login_tty(ends[1]);
            _exit(result == 0 && fcntl(ends[1], F_GETFD) == -1 ? 0 : 1);
        }
        char byte[100];
        reap("login_tty", child);
    }
    TRY("login_tty of none", login_tty(-1));
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){3, 3});
    TRY("posix_openpt, none left", posix_openpt(O_RDWR));
    TRY("getpt, none left", getpt());
    TRY("openpty, none left", openpty(&ends[0], &ends[1], NULL, NULL, NULL));
    TRY("eventfd, none left", eventfd(0, 0));
    TRY("timerfd_create, none left", timerfd_create(CLOCK_MONOTONIC, 0));
    TRY("signalfd, none left", signalfd(-1, &signals, 0));
    TRY("inotify_init, none left", inotify_init());
    return 0;
}
