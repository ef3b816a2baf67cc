// Sockets. A descriptor that comes by SCM_RIGHTS (recvmsg, recvmmsg) is the sender's, who opened it: there
// is nothing to note.
#include <sys/socket.h>

#include "preload/hooks/descriptor.h"

namespace leftover {

HOOK(int, socket, int family, int type, int protocol) {
    bind_early();
    return opened_as(real_socket(family, type, protocol), "socket");
}

HOOK(int, socketpair, int family, int type, int protocol, int* pair) {
    bind_early();
    const int result = real_socketpair(family, type, protocol, pair);
    if (result == 0) {
        opened(pair[0], "socket");
        opened(pair[1], "socket");
    }
    return result;
}

HOOK(int, accept, int fd, struct sockaddr* address, socklen_t* size) {
    bind_early();
    return opened_as(real_accept(fd, address, size), "socket");
}

HOOK(int, accept4, int fd, struct sockaddr* address, socklen_t* size, int flags) {
    bind_early();
    return opened_as(real_accept4(fd, address, size, flags), "socket");
}

}  // namespace leftover
