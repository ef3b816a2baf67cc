// leftover: file_descriptor=10(note)@open_some file_descriptor=2(note)@open_streams file_descriptor=1(note)@in_child
// leftover killed: file_descriptor=10(note)@open_some file_descriptor=2(note)@open_streams file_descriptor=1(note)@in_child
// Descriptors that are open when their process ends die with it: those that it opened itself are worth a
// note. What it inherited or was sent is somebody else's, 0, 1 and 2 are everybody's, and what was closed,
// in whatever way, is gone.
#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void open_some(void) {
    int ends[2];
    const int first = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    assert(first > 2);
    assert(socket(AF_UNIX, SOCK_DGRAM, 0) > 0);
    assert(pipe(ends) == 0);
    assert(epoll_create1(0) > 0);
    assert(eventfd(0, 0) > 0);
    assert(memfd_create("sample", 0) > 0);
    assert(dup(first) > 0);
    assert(fcntl(first, F_DUPFD, 200) == 200);
    assert(dup2(first, 1000) == 1000);
}

static void open_streams(void) {
    assert(fopen("/proc/self/status", "r") != NULL);
    assert(opendir("/proc/self") != NULL);
}

static void open_and_close(void) {
    const int fd = open("/dev/null", O_RDWR);
    assert(close(dup(fd)) == 0);
    assert(dup2(0, fd) == fd && dup2(fd, 2000) == 2000);
    assert(close(fd) == 0 && close_range(2000, 2000, 0) == 0);
    assert(fclose(fopen("/dev/null", "r")) == 0);
    assert(closedir(opendir("/")) == 0);
    assert(pclose(popen("exit 0", "r")) == 0);
    const int copy = dup(0);
    assert(fclose(fdopen(copy, "r")) == 0);
    assert(dup2(1, 1) == 1);
}

// What it leaves open of its parent's is not its own.
static void in_child(void) {
    int pair[2];
    assert(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    const pid_t child = fork();
    if (child == 0) {
        open_and_close();
        char byte;
        char control[CMSG_SPACE(sizeof(int))];
        struct iovec data = {&byte, 1};
        struct msghdr message = {
            .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        assert(recvmsg(pair[1], &message, 0) == 1 && CMSG_FIRSTHDR(&message) != NULL);
        assert(open("/", O_RDONLY) > 2);
        _exit(0);
    }
    const int sent = open("/dev/zero", O_RDONLY);
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof sent)];
    } control = {0};
    char byte = 'x';
    struct iovec data = {&byte, 1};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    control.head = (struct cmsghdr){CMSG_LEN(sizeof sent), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.head), &sent, sizeof sent);
    assert(sendmsg(pair[0], &message, 0) == 1);
    assert(close(sent) == 0);
    int status = 0;
    assert(waitpid(child, &status, 0) == child && status == 0);
    close(pair[0]);
    close(pair[1]);
}

// In its parent's memory it must not touch its parent's books.
static void in_vforked_child(void) {
    const pid_t child = vfork();
    if (child == 0) {
        for (int fd = 3; fd < 1024; ++fd) close(fd);
        _exit(open("/", O_RDONLY) == 3 ? 0 : 1);
    }
    int status = 0;
    assert(waitpid(child, &status, 0) == child && status == 0);
}

int main(int count, char** arguments) {
    open_and_close();
    open_some();
    open_streams();
    open_and_close();
    in_child();
    in_vforked_child();
    puts("thirteen are open");
    fflush(stdout);
    if (count > 1 && strcmp(arguments[1], "killed") == 0) raise(SIGKILL);
    return 0;
}
