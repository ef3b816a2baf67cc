// Ways to wait for locks, processes and other things that the kernel tells of, a thread for each, and a child
// that holds what is shared. Prints "ready", then the child's pid; for each call that returned, its name and
// errno. Ends when its standard input does.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "waiting_thread.h"

static pthread_mutex_t inheriting, robust;
static pthread_mutex_t* shared;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t never;
static sem_t nameless;
static pid_t child;
static int child_handle;

static void do_ofd_lock(void) {
    const int fd = open("ofd-lock", O_RDWR);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    fcntl(fd, F_OFD_SETLKW, &lock);
}

static void do_msgsnd(void) {
    struct { long type; char text[4096]; } message = {.type = 1};
    const int queue = msgget(IPC_PRIVATE, 0600);
    while (msgsnd(queue, &message, sizeof message.text, IPC_NOWAIT) == 0) continue;
    msgsnd(queue, &message, sizeof message.text, 0);
}

static void do_sigwait(void) {
    sigset_t set;
    int number;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    // What a stop may interrupt the program begins anew.
    while (sigwait(&set, &number) == EINTR) continue;
}

static void do_waitid(void) {
    siginfo_t info;
    waitid(P_PIDFD, (id_t)child_handle, &info, WEXITED | WNOWAIT);
}

static void do_poll(void) {
    struct pollfd one = {child_handle, POLLIN, 0};
    poll(&one, 1, -1);
}

static void do_inotify(void) {
    char event[4096];
    const int fd = inotify_init();
    inotify_add_watch(fd, "ofd-lock", IN_DELETE_SELF);
    read(fd, event, sizeof event);
}

static void do_timer(void) {
    uint64_t count;
    const struct itimerspec late = {.it_value = {100000, 0}};
    const int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    timerfd_settime(fd, 0, &late, NULL);
    read(fd, &count, sizeof count);
}

static void do_signalfd(void) {
    struct signalfd_siginfo info;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    read(signalfd(-1, &set, 0), &info, sizeof info);
}

static void do_waitv(void) {
    static uint32_t words[2];
    struct futex_waitv two[2] = {{0, (uintptr_t)&words[0], FUTEX_32 | FUTEX_PRIVATE_FLAG, 0},
                                 {0, (uintptr_t)&words[1], FUTEX_32 | FUTEX_PRIVATE_FLAG, 0}};
    while (syscall(SYS_futex_waitv, two, 2, 0, NULL, 0) < 0 && errno == EINTR) continue;
}

static void do_accept(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "door"};
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    bind(fd, (struct sockaddr*)&address, sizeof address);
    listen(fd, 1);
    accept(fd, NULL, NULL);
}

static void do_uring(void) {
    unsigned char parameters[120] = {0};
    const long ring = syscall(SYS_io_uring_setup, 1, parameters);
    if (ring < 0) {  // not allowed here
        for (;;) pause();
    }
    while (syscall(SYS_io_uring_enter, ring, 0, 1, 1, NULL, 0) < 0 && errno == EINTR) continue;
}

THREAD(inherits, pthread_mutex_lock(&inheriting))
THREAD(robusts, pthread_mutex_lock(&robust))
THREAD(shares, pthread_mutex_lock(shared))
THREAD(rdlocks, pthread_rwlock_rdlock(&rwlock))
THREAD(barriers, pthread_barrier_wait(&never))
THREAD(nameless_, sem_wait(&nameless))
THREAD(ofdlock, do_ofd_lock())
THREAD(msgsnds, do_msgsnd())
THREAD(sigwaits, do_sigwait())
THREAD(waitids, do_waitid())
THREAD(pidpolls, do_poll())
THREAD(inotifies, do_inotify())
THREAD(timers, do_timer())
THREAD(signalfds, do_signalfd())
THREAD(waitvs, do_waitv())
THREAD(unixaccept, do_accept())
THREAD(urings, do_uring())

// Holds the file's lock and the mutex in shared memory.
static void be_peer(int ready) {
    prctl(PR_SET_NAME, "peer");
    prctl(PR_SET_PDEATHSIG, 9);
    const int fd = open("ofd-lock", O_CREAT | O_RDWR, 0600);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    fcntl(fd, F_OFD_SETLK, &lock);
    pthread_mutex_lock(shared);
    write(ready, "x", 1);
    for (;;) pause();
}

int main(void) {
    void* (*threads[])(void*) = {inherits, robusts,  shares,    rdlocks, barriers,  nameless_, ofdlock,    msgsnds, sigwaits,
                                 waitids,  pidpolls, inotifies, timers,  signalfds, waitvs,    unixaccept, urings};
    const unsigned count = sizeof threads / sizeof *threads;
    int ready[2];
    char byte;
    pthread_t thread;
    pthread_mutexattr_t attributes;
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigaddset(&blocked, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &blocked, NULL);
    if (pipe(ready) != 0) return 1;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutex_init(shared, &attributes);
    child = fork();
    if (child == 0) be_peer(ready[1]);
    read(ready[0], &byte, 1);
    child_handle = (int)syscall(SYS_pidfd_open, child, 0);
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(&inheriting, &attributes);
    pthread_mutex_lock(&inheriting);
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&robust, &attributes);
    pthread_mutex_lock(&robust);
    pthread_rwlock_wrlock(&rwlock);
    pthread_barrier_init(&never, NULL, 2);
    sem_init(&nameless, 0, 0);
    pthread_barrier_init(&all, NULL, count + 1);
    for (unsigned i = 0; i < count; ++i) pthread_create(&thread, NULL, threads[i], NULL);
    pthread_barrier_wait(&all);
    printf("ready\n%d\n", child);
    fflush(stdout);
    while (getchar() != EOF) continue;
    _exit(0);
}
