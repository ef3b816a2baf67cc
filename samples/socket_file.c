// leftover: socket_file=2@bind_to
// Sockets bound to a path: closing them does not remove it.
#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

// The path need not end in a NUL.
static void bind_to(const char* path, size_t size) {
    struct sockaddr_un address;
    memset(&address, 'x', sizeof address);
    address.sun_family = AF_UNIX;
    memcpy(address.sun_path, path, size);
    // A file of that name from an earlier run.
    char name[sizeof address.sun_path + 1] = "";
    memcpy(name, path, size);
    if (name[0] != 0) unlink(name);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert(fd >= 0);
    assert(bind(fd, (struct sockaddr*)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size)) == 0);
    assert(listen(fd, 1) == 0);
    close(fd);
}

int main(void) {
    bind_to("/tmp/sample-socket", sizeof "/tmp/sample-socket");
    bind_to("sample-again", strlen("sample-again"));
    // Another of that name: the first is gone.
    bind_to("sample-again", strlen("sample-again"));
    bind_to("sample-removed", strlen("sample-removed"));
    unlink("sample-removed");
    bind_to("sample-draft", strlen("sample-draft"));
    assert(rename("sample-draft", "sample-final") == 0);
    // Names that are in no file system.
    bind_to("\0sample", 7);
    bind_to("", 0);
    puts("two are left");
    return 0;
}
