// More ways to wait, a thread for each, and a child that has the other end. Prints "ready"; for each call that
// returned, its name and errno. Ends when its standard input does.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "waiting_thread.h"

static int ends[2], tcp = -1;

static void do_epoll(void) {
    const int set = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event);
    // What a stop may interrupt (epoll_wait(2)) the program begins anew.
    while (epoll_wait(set, &event, 1, -1) < 0 && errno == EINTR) continue;
}

static void do_fifo(void) {
    char byte;
    const int fd = open("fifo", O_RDONLY);
    read(fd, &byte, 1);
}

static void do_opens(void) { open("lonely", O_RDONLY); }

static void do_semop(void) {
    const int set = semget(0x4c454654, 1, IPC_CREAT | 0600);
    struct sembuf down = {0, -1, 0};
    while (semop(set, &down, 1) < 0 && errno == EINTR) continue;
}

static void do_msgrcv(void) {
    struct { long type; char text[8]; } message;
    const int queue = msgget(0x4c454654, IPC_CREAT | 0600);
    msgrcv(queue, &message, sizeof message.text, 0, 0);
}

static void do_mq(void) {
    struct mq_attr small = {.mq_maxmsg = 1, .mq_msgsize = 16};
    char message[16];
    const mqd_t queue = mq_open("/waits", O_CREAT | O_RDONLY, 0600, &small);
    mq_receive(queue, message, sizeof message, NULL);
}

static void do_record_lock(void) {
    const int fd = open("record-lock", O_RDWR);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    fcntl(fd, F_SETLKW, &lock);
}

static void do_event(void) {
    unsigned long long value;
    read(eventfd(0, 0), &value, sizeof value);
}

static void do_recv(void) {
    char byte;
    recv(tcp, &byte, 1, 0);
}

THREAD(epolls, do_epoll())
THREAD(fifo, do_fifo())
THREAD(opens, do_opens())
THREAD(semops, do_semop())
THREAD(msgrcvs, do_msgrcv())
THREAD(mqueues, do_mq())
THREAD(recordlock, do_record_lock())
THREAD(events, do_event())
THREAD(receives, do_recv())

// Holds the lock, the TCP connection's and the FIFO's other ends.
static void be_peer(int listener, const struct sockaddr_in* address, int ready) {
    prctl(PR_SET_NAME, "peer");
    prctl(PR_SET_PDEATHSIG, 9);
    close(listener);
    close(ends[0]);
    close(ends[1]);
    const int fd = open("record-lock", O_CREAT | O_RDWR, 0600);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    fcntl(fd, F_SETLK, &lock);
    connect(socket(AF_INET, SOCK_STREAM, 0), (const struct sockaddr*)address, sizeof *address);
    open("fifo", O_RDWR);
    write(ready, "x", 1);
    for (;;) pause();
}

int main(void) {
    void* (*threads[])(void*) = {epolls, fifo, opens, semops, msgrcvs, mqueues, recordlock, events, receives};
    const unsigned count = sizeof threads / sizeof *threads;
    int ready[2];
    char byte;
    pthread_t thread;
    if (pipe(ends) != 0 || pipe(ready) != 0) return 1;
    if (mkfifo("fifo", 0600) != 0 || mkfifo("lonely", 0600) != 0) return 1;
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    bind(listener, (struct sockaddr*)&address, size);
    listen(listener, 1);
    getsockname(listener, (struct sockaddr*)&address, &size);
    const pid_t child = fork();
    if (child == 0) be_peer(listener, &address, ready[1]);
    read(ready[0], &byte, 1);
    tcp = accept(listener, NULL, NULL);
    close(listener);
    pthread_barrier_init(&all, NULL, count + 1);
    for (unsigned i = 0; i < count; ++i) pthread_create(&thread, NULL, threads[i], NULL);
    pthread_barrier_wait(&all);
    printf("ready\n%d\n", child);
    fflush(stdout);
    while (getchar() != EOF) continue;
    _exit(0);
}
