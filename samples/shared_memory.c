// leftover: shared_memory=2@make_objects
// Shared memory by shm_open: 64 KiB each until the next boot.
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static void* make_object(const char* name) {
    int fd = shm_open(name, O_CREAT | O_RDWR, 0600);
    assert(fd >= 0);
    assert(ftruncate(fd, 65536) == 0);
    void* memory = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert(memory != MAP_FAILED);
    close(fd);
    return memory;
}

__attribute__((always_inline)) static inline void make_objects(int count) {
    for (int number = 0; number < count; number++) {
        char name[64];
        snprintf(name, sizeof name, "/sample-%d-%d", (int)getpid(), number);
        int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
        assert(fd >= 0);
        assert(ftruncate(fd, 65536) == 0);
        close(fd);
    }
}

int main(void) {
    make_object("/sample-tidy");
    assert(shm_unlink("/sample-tidy") == 0);
    make_objects(2);
    puts("two are left");
    return 0;
}
