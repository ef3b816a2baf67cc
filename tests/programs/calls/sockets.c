// calls: socket socketpair accept accept4
#include "call.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static socklen_t address_of(struct sockaddr_un* address, const char* name) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    return offsetof(struct sockaddr_un, sun_path) + 1 + sprintf(address->sun_path + 1, "call-%d-%s", getpid(), name);
}

static void send_descriptor(int to, int fd) {
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof fd)];
    } control = {0};
    char byte = 'x';
    struct iovec data = {&byte, 1};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    struct cmsghdr* head = CMSG_FIRSTHDR(&message);
    *head = (struct cmsghdr){CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(head), &fd, sizeof fd);
    TRY("sendmsg", sendmsg(to, &message, 0));
}

static int receive_descriptor(int from) {
    char room[CMSG_SPACE(sizeof(int))];
    char byte;
    int fd = -1;
    struct iovec data = {&byte, 1};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    TRY("recvmsg", recvmsg(from, &message, 0));
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    return fd;
}

int main(void) {
    const int listener = TRY("socket", socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    TRY("socket, bad family", socket(-1, SOCK_STREAM, 0));
    TRY("socket, bad type", socket(AF_INET, 99, 0));
    int pair[2] = {-7, -7};
    TRY("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    printf("%d %d\n", pair[0], pair[1]);
    int none[2];
    TRY("socketpair, bad family", socketpair(AF_INET, SOCK_STREAM, 0, none));
    TRY("socketpair, bad address", socketpair(AF_UNIX, SOCK_STREAM, 0, NULL));

    struct sockaddr_un address;
    const socklen_t size = address_of(&address, "a");
    TRY("accept, not listening", accept(listener, NULL, NULL));
    TRY("bind", bind(listener, (struct sockaddr*)&address, size));
    TRY("listen", listen(listener, 5));
    for (int i = 0; i < 2; ++i) {
        const int client = socket(AF_UNIX, SOCK_STREAM, 0);
        TRY("connect", connect(client, (struct sockaddr*)&address, size));
    }
    struct sockaddr_un peer;
    socklen_t room = sizeof peer;
    TRY("accept", accept(listener, (struct sockaddr*)&peer, &room));
    printf("%u\n", (unsigned)room);
    TRY("accept4", accept4(listener, NULL, NULL, SOCK_NONBLOCK));
    TRY("accept4, bad flags", accept4(listener, NULL, NULL, 1));
    fcntl(listener, F_SETFL, O_NONBLOCK);
    TRY("accept, nobody", accept(listener, NULL, NULL));
    TRY("accept4, nobody", accept4(listener, NULL, NULL, 0));
    TRY("accept of none", accept(-1, NULL, NULL));

    send_descriptor(pair[0], listener);
    printf("received as %d\n", receive_descriptor(pair[1]));

    setrlimit(RLIMIT_NOFILE, &(struct rlimit){3, 3});
    TRY("socket, none left", socket(AF_UNIX, SOCK_STREAM, 0));
    TRY("socketpair, none left", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    return 0;
}
