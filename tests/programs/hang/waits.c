// A thread for each way to wait. Prints "ready", and for each call that returned: its name and errno.
// Ends when its standard input does.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int ends[2];
static int pair[2];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_mutex_t of_condition = PTHREAD_MUTEX_INITIALIZER;
static pthread_t reader;
static pthread_barrier_t all;

static void returned(const char* what, int error) {
    printf("%s returned: %s\n", what, strerror(error));
    fflush(stdout);
}

static void begin(const char* name) {
    pthread_setname_np(pthread_self(), name);
    pthread_barrier_wait(&all);
}

#define THREAD(name, call)               \
    static void* name(void* x) {         \
        char byte;                       \
        (void)byte;                      \
        begin(#name);                    \
        errno = 0;                       \
        call;                            \
        returned(#name, errno);          \
        return x;                        \
    }

static void do_accept(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    bind(fd, (struct sockaddr*)&address, size);
    listen(fd, 1);
    getsockname(fd, (struct sockaddr*)&address, &size);
    FILE* port = fopen("port.new", "w");
    fprintf(port, "%d\n", ntohs(address.sin_port));
    fclose(port);
    rename("port.new", "port");
    accept(fd, NULL, NULL);
}

static void do_poll(void) {
    struct pollfd one = {ends[0], POLLIN, 0};
    poll(&one, 1, 1000000);
}

static void do_select(void) {
    fd_set set;
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    select(ends[0] + 1, &set, NULL, NULL, NULL);
}

static void do_wait(void) {
    int status;
    const pid_t child = fork();
    if (child == 0) {
        close_range(0, ~0U, 0);
        for (;;) pause();
    }
    printf("child %d\n", child);
    fflush(stdout);
    waitpid(child, &status, 0);
}

static void do_named(void) {
    sem_t* named = sem_open("/waits", O_CREAT, 0600, 0);
    sem_wait(named);
}

static void do_flock(void) {
    int held = open("locked", O_CREAT | O_RDWR, 0600);
    int wanted = open("locked", O_RDWR);
    flock(held, LOCK_EX);
    flock(wanted, LOCK_EX);
}

static void do_condition(void) {
    pthread_mutex_lock(&of_condition);
    pthread_cond_wait(&condition, &of_condition);
}

THREAD(reads, read(ends[0], &byte, 1))
THREAD(receives, recv(pair[0], &byte, 1, 0))
THREAD(accepts, do_accept())
THREAD(polls, do_poll())
THREAD(selects, do_select())
THREAD(sleeps, sleep(100000))
THREAD(locks, pthread_mutex_lock(&mutex))
THREAD(rwlocks, pthread_rwlock_wrlock(&rwlock))
THREAD(conditions, do_condition())
THREAD(joins, pthread_join(reader, NULL))
THREAD(named, do_named())
THREAD(flocks, do_flock())
THREAD(waiter, do_wait())

static void* runs(void* x) {
    volatile unsigned long count = 0;
    begin("runs");
    for (;;) ++count;
    return x;
}

int main(void) {
    void* (*threads[])(void*) = {receives,   accepts, polls, selects, sleeps, locks, rwlocks,
                                 conditions, joins,   named, flocks,  waiter, runs};
    const unsigned count = sizeof threads / sizeof *threads;
    pthread_t thread;
    if (pipe(ends) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) return 1;
    pthread_barrier_init(&all, NULL, count + 2);
    pthread_mutex_lock(&mutex);
    pthread_rwlock_wrlock(&rwlock);
    pthread_create(&reader, NULL, reads, NULL);
    for (unsigned i = 0; i < count; ++i) pthread_create(&thread, NULL, threads[i], NULL);
    pthread_barrier_wait(&all);
    printf("ready\n");
    fflush(stdout);
    while (getchar() != EOF) continue;
    _exit(0);
}
