// leftover: shared_memory=1@by_mkstemp shared_memory=1@by_open
// Shared memory without shm_open: files directly in /dev/shm.
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void by_mkstemp(void) {
    char path[] = "/dev/shm/sample-XXXXXX";
    int fd = mkstemp(path);
    assert(fd >= 0);
    close(fd);
}

static void by_open(void) {
    char path[64];
    snprintf(path, sizeof path, "/dev/shm/sample-mapped-%d", (int)getpid());
    int fd = open(path, O_CREAT | O_EXCL | O_RDWR, 0600);
    assert(fd >= 0);
    assert(ftruncate(fd, 4096) == 0);
    void* memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert(memory != MAP_FAILED);
    close(fd);
}

// Never mapped shared: a file like any other.
static void the_users_own(void) {
    int fd = open("/dev/shm/sample-own", O_CREAT | O_RDWR, 0600);
    assert(fd >= 0);
    assert(write(fd, "notes\n", 6) == 6);
    void* memory = mmap(NULL, 6, PROT_READ, MAP_PRIVATE, fd, 0);
    assert(memory != MAP_FAILED);
    close(fd);
}

// In a folder of /dev/shm, and under a name that somebody gave it afterwards.
static void elsewhere(void) {
    char folder[] = "/dev/shm/sample-folder";
    mkdir(folder, 0700);
    int fd = open("/dev/shm/sample-folder/object", O_CREAT | O_RDWR, 0600);
    assert(fd >= 0);
    assert(ftruncate(fd, 4096) == 0);
    assert(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED);
    close(fd);

    fd = shm_open("/sample-draft", O_CREAT | O_RDWR, 0600);
    assert(fd >= 0);
    close(fd);
    assert(rename("/dev/shm/sample-draft", "/dev/shm/sample-final") == 0);
}

int main(void) {
    by_mkstemp();
    by_open();
    the_users_own();
    elsewhere();
    puts("two are left, and three files that are nobody's business");
    return 0;
}
