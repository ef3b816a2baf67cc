// calls: close __close close_range closefrom dup dup2 __dup2 dup3 fcntl fcntl64 __fcntl pipe __pipe pipe2
#include "call.h"

#include <dirent.h>
#include <linux/close_range.h>
#include <pthread.h>

extern int __close(int fd);
extern int __dup2(int fd, int target);
extern int __fcntl(int fd, int command, ...);
extern int __pipe(int* ends);

// Which are open from 3 on, told by the kernel.
static void tell_open(const char* what) {
    printf("%s:", what);
    for (int fd = 3; fd < 600; ++fd) {
        const int flags = fcntl(fd, F_GETFD);
        if (flags >= 0) printf(" %d%s", fd, (flags & FD_CLOEXEC) != 0 ? "c" : "");
    }
    puts("");
    fflush(stdout);
}

static void count_in_proc(void) {
    DIR* folder = opendir("/proc/self/fd");
    int count = 0;
    while (readdir(folder) != NULL) ++count;
    closedir(folder);
    printf("in /proc: %d\n", count);
}

static void* cancelled(void* end) {
    char byte;
    // Were the cancellation there already, close would end the thread before it closes.
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    close(open("/dev/null", O_RDONLY));
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    return (void*)read(*(int*)end, &byte, 1);
}

static void* cancelled_in_close(void* fd) {
    pthread_cancel(pthread_self());
    close(*(int*)fd);
    return NULL;
}

static void handler(int signal) {
    (void)signal;
    close(dup(2));
}

int main(void) {
    const int fd = open("/dev/null", O_RDWR);
    TRY("dup", dup(fd));
    TRY("dup of none", dup(-1));
    TRY("dup2", dup2(fd, 20));
    TRY("dup2 onto itself", dup2(fd, fd));
    TRY("dup2 onto an open one", dup2(1, 20));
    TRY("dup2 of none", dup2(77, 20));
    TRY("dup2 onto none", dup2(fd, -1));
    TRY("dup2 too high", dup2(fd, 1 << 30));
    TRY("__dup2", __dup2(fd, 21));
    TRY("dup3", dup3(fd, 22, O_CLOEXEC));
    TRY("dup3 onto itself", dup3(fd, fd, 0));
    TRY("dup3, bad flags", dup3(fd, 22, 1));
    TRY("F_DUPFD", fcntl(fd, F_DUPFD, 30));
    TRY("F_DUPFD_CLOEXEC", fcntl64(fd, F_DUPFD_CLOEXEC, 30));
    TRY("F_DUPFD, __fcntl", __fcntl(fd, F_DUPFD, 100));
    TRY("F_DUPFD, 500", fcntl(fd, F_DUPFD, 500));
    TRY("F_DUPFD, bad", fcntl(fd, F_DUPFD, -1));
    TRY("F_GETFL", fcntl(fd, F_GETFL));
    TRY("F_SETFD", fcntl64(fd, F_SETFD, FD_CLOEXEC));
    TRY("fcntl of none", fcntl(-1, F_GETFD));
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    TRY("F_GETLK", fcntl(fd, F_GETLK, &lock));
    int ends[2] = {-7, -7};
    TRY("pipe", pipe(ends));
    TRY("__pipe", __pipe(ends));
    TRY("pipe2", pipe2(ends, O_CLOEXEC | O_NONBLOCK));
    TRY("pipe2, bad flags", pipe2(ends, 1));
    TRY("pipe, bad address", pipe(NULL));
    tell_open("open");
    count_in_proc();

    pthread_t thread;
    pthread_create(&thread, NULL, cancelled, &ends[0]);
    signal(SIGUSR1, handler);
    raise(SIGUSR1);
    int other[2];
    pipe(other);
    dup2(other[0], ends[0]);
    close(other[0]);
    close(other[1]);
    pthread_cancel(thread);
    pthread_join(thread, NULL);
    int unclosed = fcntl(fd, F_DUPFD, 60);
    void* result = NULL;
    pthread_create(&thread, NULL, cancelled_in_close, &unclosed);
    pthread_join(thread, &result);
    printf("cancelled in close: %d\n", result == PTHREAD_CANCELED);
    tell_open("after it");

    const pid_t child = vfork();
    if (child == 0) {
        for (int i = 3; i < 40; ++i) close(i);
        const int opened = open("/dev/null", O_RDONLY);
        close(opened);
        dup2(2, 50);
        _exit(opened);
    }
    reap("vforked child that closes all", child);
    tell_open("after vfork");

    TRY("close", close(20));
    TRY("close again", close(20));
    TRY("close of none", close(-1));
    TRY("close, high", close(1 << 30));
    TRY("__close", __close(21));
    TRY("__close of none", __close(-5));
    TRY("close_range, bad flags", close_range(3, 5, 1 << 20));
    TRY("close_range, backwards", close_range(5, 3, 0));
    TRY("close_range, on exec", close_range(4, 5, CLOSE_RANGE_CLOEXEC));
    tell_open("close-on-exec from 4 to 5");
    TRY("close_range", close_range(4, 31, 0));
    tell_open("closed from 4 to 31");
    closefrom(101);
    tell_open("closed from 101");
    closefrom(-3);
    return 0;
}
