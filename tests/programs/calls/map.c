// calls: mmap mmap64
#include <sys/mman.h>

#include "call.h"

typedef void* Map(void* address, size_t size, int protection, int flags, int fd, off_t offset);

static void try_map(const char* what, Map* call) {
    puts(what);
    int fd = open("/dev/shm/call-map", O_CREAT | O_RDWR, 0600);
    if (ftruncate(fd, 8192) != 0) abort();
    char* shared = TRY_ANY("shared", call(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    strcpy(shared + 4096, "written");
    char* private = TRY_ANY("private, second page", call(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 4096));
    printf("  %s\n", private);
    TRY_ANY("validated", call(NULL, 4096, PROT_READ, MAP_SHARED_VALIDATE, fd, 0));
    printf("  %d\n", TRY_ANY("fixed", call(shared, 4096, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0)) == shared);
    TRY("taken", call(shared, 4096, PROT_READ, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0));
    TRY_ANY("anonymous", call(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    TRY("no size", call(NULL, 0, PROT_READ, MAP_SHARED, fd, 0));
    TRY("no descriptor", call(NULL, 4096, PROT_READ, MAP_SHARED, 999, 0));
    TRY("neither shared nor private", call(NULL, 4096, PROT_READ, 0, fd, 0));
    TRY("within a page", call(NULL, 4096, PROT_READ, MAP_SHARED, fd, 7));
    close(fd);
    fd = open("/dev/shm/call-map", O_RDONLY);
    TRY("not writable", call(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0));
    close(fd);
    fd = open("/dev/shm", O_RDONLY);
    TRY("a folder", call(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0));
    close(fd);
    unlink("/dev/shm/call-map");
}

int main(void) {
    try_map("mmap", mmap);
    try_map("mmap64", mmap64);
    return 0;
}
