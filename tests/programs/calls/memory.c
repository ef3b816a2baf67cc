// calls: shm_open shm_unlink
#include <sys/mman.h>

#include "call.h"

static void tell_object(int fd) {
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0) return;
    printf("  descriptor %d, mode %o, size %ld, close-on-exec %d\n", fd, status.st_mode & 07777,
           (long)status.st_size, fcntl(fd, F_GETFD));
    close(fd);
}

int main(void) {
    umask(022);
    TRY("shm_open, absent", shm_open("/call", O_RDWR, 0));
    const int fd = TRY("shm_open, created", shm_open("/call", O_CREAT | O_RDWR, 0666));
    TRY("its size", ftruncate(fd, 100));
    tell_object(fd);
    tell_object(TRY("shm_open, there", shm_open("/call", O_CREAT | O_RDWR, 0600)));
    tell_object(TRY("shm_open, exclusive", shm_open("/call", O_CREAT | O_EXCL | O_RDWR, 0600)));
    tell_object(TRY("shm_open, read only", shm_open("call", O_RDONLY, 0)));
    tell_object(TRY("shm_open, truncated", shm_open("/call", O_CREAT | O_TRUNC | O_RDWR, 0600)));
    TRY("shm_open, no name", shm_open("/", O_CREAT | O_RDWR, 0600));
    TRY("shm_open, empty", shm_open("", O_CREAT | O_RDWR, 0600));
    TRY("shm_open, a path", shm_open("/a/b", O_CREAT | O_RDWR, 0600));
    TRY("shm_open, above", shm_open("/..", O_CREAT | O_RDONLY, 0600));
    TRY("shm_open, the folder", shm_open("/.", O_CREAT | O_RDWR, 0600));
    TRY("a folder", mkdir("/dev/shm/call-folder", 0700));
    TRY("shm_open, a folder", shm_open("/call-folder", O_CREAT | O_RDONLY, 0600));
    TRY("shm_open, a folder, looked at", shm_open("/call-folder", O_RDONLY, 0600));
    rmdir("/dev/shm/call-folder");
    char name[400];
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = 0;
    TRY("shm_open, too long", shm_open(name, O_CREAT | O_RDWR, 0600));
    name[255] = 0;
    tell_object(TRY("shm_open, just short enough", shm_open(name, O_CREAT | O_RDWR, 0600)));
    TRY("shm_unlink, long", shm_unlink(name));
    TRY("shm_unlink", shm_unlink("/call"));
    TRY("shm_unlink, absent", shm_unlink("/call"));
    TRY("shm_unlink, no name", shm_unlink("/"));
    TRY("shm_unlink, a path", shm_unlink("/a/b"));
    tell_object(TRY("shm_open, exclusive, absent", shm_open("/call", O_CREAT | O_EXCL | O_RDWR, 0640)));
    TRY("shm_unlink, without slash", shm_unlink("call"));
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){3, 3});
    TRY("shm_open, no descriptors", shm_open("/call", O_CREAT | O_RDWR, 0600));
    TRY("it is not there", access("/dev/shm/call", F_OK));
    return 0;
}
