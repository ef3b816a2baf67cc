// calls: bind
#include "call.h"

#include <netinet/in.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

static int unix_socket(void) { return socket(AF_UNIX, SOCK_STREAM, 0); }

static socklen_t address_of(struct sockaddr_un* address, const char* path, size_t size) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, size);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
}

static void try_path(const char* what, const char* path, size_t size) {
    struct sockaddr_un address;
    const socklen_t length = address_of(&address, path, size);
    const int fd = unix_socket();
    if (TRY(what, bind(fd, (struct sockaddr*)&address, length)) == 0) {
        TRY("  again", bind(fd, (struct sockaddr*)&address, length));
        struct sockaddr_un name;
        socklen_t room = sizeof name;
        memset(&name, 0, sizeof name);
        getsockname(fd, (struct sockaddr*)&name, &room);
        printf("  %u bytes, %s\n", room, path[0] != 0 && size != 0 ? name.sun_path : "no path");
    }
    close(fd);
    const int other = unix_socket();
    if (size != 0) TRY("  another", bind(other, (struct sockaddr*)&address, length));
    close(other);
    struct stat status;
    if (path[0] != 0 && stat(path, &status) == 0) {
        printf("  mode %o\n", status.st_mode);
        TRY("  unlink", unlink(path));
    }
}

int main(void) {
    umask(022);
    try_path("absolute", "/dev/shm/call-socket", 21);
    try_path("relative", "call-socket", 12);
    try_path("without its NUL", "call-socket", 11);
    try_path("with a dot", "./call-socket", 14);
    try_path("more behind", "call-socket\0more", 16);
    try_path("no folder", "no/call-socket", 15);
    try_path("a folder", "/dev/shm", 9);
    try_path("abstract", "\0call-abstract", 14);
    try_path("any", "", 0);
    char longest[109];
    memset(longest, 'x', sizeof longest);
    longest[108] = 0;
    try_path("the longest", longest, 108);
    struct sockaddr_un address;
    const socklen_t length = address_of(&address, "call-socket", 12);
    int fd = unix_socket();
    TRY("too long", bind(fd, (struct sockaddr*)&address, 200));
    TRY("too short", bind(fd, (struct sockaddr*)&address, 1));
    TRY("nothing", bind(fd, (struct sockaddr*)&address, 0));
    TRY("negative", bind(fd, (struct sockaddr*)&address, (socklen_t)-1));
    TRY("null", bind(fd, NULL, length));
    TRY("bad address", bind(fd, (struct sockaddr*)8, length));
    char* const page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(page + 4096, 4096);
    struct sockaddr_un* const half = (struct sockaddr_un*)(page + 4096 - 20);
    memcpy(half, &address, 20);
    TRY("half an address", bind(fd, (struct sockaddr*)half, 40));
    TRY("at the end of its page", bind(fd, (struct sockaddr*)half, length));
    unlink("call-socket");
    close(fd);
    TRY("no descriptor", bind(999, (struct sockaddr*)&address, length));
    fd = open("/dev/null", O_RDONLY);
    TRY("no socket", bind(fd, (struct sockaddr*)&address, length));
    close(fd);
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    fd = socket(AF_INET, SOCK_STREAM, 0);
    TRY("internet", bind(fd, (struct sockaddr*)&in, sizeof in));
    TRY("internet, again", bind(fd, (struct sockaddr*)&in, sizeof in));
    TRY("internet, by a path", bind(fd, (struct sockaddr*)&address, length));
    close(fd);
    fd = unix_socket();
    TRY("a path, by internet", bind(fd, (struct sockaddr*)&in, sizeof in));
    mkdir("gone", 0700);
    TRY("chdir", chdir("gone"));
    TRY("rmdir", rmdir("../gone"));
    TRY("in no folder", bind(fd, (struct sockaddr*)&address, length));
    return 0;
}
