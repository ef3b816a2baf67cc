// calls: open open64 __open __open64 openat openat64 creat creat64 __open_2 __open64_2 __openat_2 __openat64_2
#include "call.h"

extern int __open(const char* path, int flags, ...);
extern int __open_2(const char* path, int flags);
extern int __open64_2(const char* path, int flags);
extern int __openat_2(int dirfd, const char* path, int flags);
extern int __openat64_2(int dirfd, const char* path, int flags);
extern int __open64(const char* path, int flags, ...);

typedef int Open(const char* path, int flags, ...);

static void tell_file(int fd) {
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0) return;
    printf("  descriptor %d, mode %o, size %ld, flags %o, %s\n", fd, status.st_mode & 07777, (long)status.st_size,
           (unsigned)fcntl(fd, F_GETFL), (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0 ? "close-on-exec" : "inherited");
    close(fd);
}

static void try_open(const char* what, Open* call, const char* path) {
    puts(what);
    tell_file(TRY("absent", call(path, O_RDWR)));
    tell_file(TRY("created", call(path, O_CREAT | O_RDWR, 0666)));
    tell_file(TRY("there", call(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600)));
    tell_file(TRY("exclusive", call(path, O_CREAT | O_EXCL | O_RDWR, 0600)));
    tell_file(TRY("read only", call(path, O_RDONLY)));
    tell_file(TRY("truncated", call(path, O_CREAT | O_TRUNC | O_WRONLY | O_APPEND, 0600)));
    tell_file(TRY("below a file", call("/dev/shm/call/x/y", O_CREAT | O_RDWR, 0600)));
    tell_file(TRY("a folder", call("/dev/shm", O_CREAT | O_RDWR, 0600)));
    tell_file(TRY("a folder for reading", call("/dev/shm", O_RDONLY | O_DIRECTORY)));
    tell_file(TRY("nameless", call("/dev/shm", O_TMPFILE | O_RDWR, 0640)));
    tell_file(TRY("empty name", call("", O_CREAT | O_RDWR, 0600)));
    unlink(path);
    tell_file(TRY("exclusive, absent", call(path, O_CREAT | O_EXCL | O_RDWR, 0604)));
    unlink(path);
    symlink("call-target", path);
    tell_file(TRY("through a link", call(path, O_CREAT | O_RDWR, 0600)));
    tell_file(TRY("through a link, exclusive", call(path, O_CREAT | O_EXCL | O_RDWR, 0600)));
    tell_file(TRY("no links", call(path, O_CREAT | O_NOFOLLOW | O_RDWR, 0600)));
    unlink(path);
    unlink("/dev/shm/call-target");
    unlink("call-target");
}

static int dirfd = AT_FDCWD;
static int at(const char* path, int flags, ...) { return openat(dirfd, path, flags, 0640); }
static int at64(const char* path, int flags, ...) { return openat64(dirfd, path, flags, 0640); }

int main(void) {
    umask(022);
    try_open("open", open, "/dev/shm/call-file");
    try_open("open elsewhere", open, "call-file");
    try_open("open64", open64, "/dev/shm/call-file");
    try_open("__open", __open, "/dev/shm/call-file");
    try_open("__open64", __open64, "/dev/shm/call-file");
    try_open("openat", at, "/dev/shm/call-file");
    try_open("openat64", at64, "/dev/shm/call-file");
    dirfd = open("/dev/shm", O_PATH | O_DIRECTORY);
    try_open("openat, relative", at, "call-file");
    try_open("openat64, relative", at64, "call-file");
    close(dirfd);
    dirfd = 999;
    try_open("openat, no descriptor", at, "call-file");
    try_open("openat, no descriptor needed", at, "/dev/shm/call-file");
    puts("creat");
    tell_file(TRY("creat", creat("/dev/shm/call-file", 0666)));
    tell_file(TRY("creat, there", creat("/dev/shm/call-file", 0600)));
    tell_file(TRY("creat, no folder", creat("/dev/shm/no/file", 0600)));
    tell_file(TRY("creat64, there", creat64("/dev/shm/call-file", 0600)));
    unlink("/dev/shm/call-file");
    tell_file(TRY("creat64", creat64("/dev/shm/call-file", 0666)));
    tell_file(TRY("creat64, no folder", creat64("/dev/shm/no/file", 0600)));
    unlink("/dev/shm/call-file");
    tell_file(TRY("__open_2", __open_2("/dev/shm", O_RDONLY)));
    tell_file(TRY("__open_2, absent", __open_2("/dev/shm/call-file", O_RDONLY)));
    tell_file(TRY("__open64_2", __open64_2("/dev/shm", O_RDONLY | O_CLOEXEC)));
    tell_file(TRY("__openat_2", __openat_2(AT_FDCWD, "/dev/shm", O_RDONLY)));
    tell_file(TRY("__openat64_2", __openat64_2(999, "call-file", O_RDONLY)));
    tell_file(TRY("O_PATH", open("/dev/shm", O_PATH)));
    tell_file(TRY("bad address", open((const char*)8, O_RDONLY)));
    const pid_t child = fork();
    if (child == 0) __open_2("/dev/shm/call-file", O_CREAT);
    reap("__open_2 without a mode", child);
    // No descriptors left.
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){3, 3});
    TRY("open, no descriptors", open("/dev/shm/call-file", O_CREAT | O_RDWR, 0600));
    TRY("creat, no descriptors", creat("/dev/shm/call-file", 0600));
    TRY("neither is there", access("/dev/shm/call-file", F_OK));
    return 0;
}
