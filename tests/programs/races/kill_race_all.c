// kill_race_all FILE FOLDER: everything at once, as fast as it goes, until somebody kills the process group:
// named semaphores, shared memory, message queues, System V objects with keys and without, temporary files
// and folders and sockets in FOLDER, children that leave the group and stay. Two processes of two threads
// and more create; what has a name or a key of its own bears its creator's pid.
// Writes its pid to FILE when all of them have begun.
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

enum { processes = 2 };

typedef void* (*work_function)(void*);

// Shared by both processes: how many threads have begun.
static atomic_int* begun;

static void check(int good, int status) {
    if (!good) _exit(status);
}

static void name_it(char* name, size_t size, const char* format, int number) {
    snprintf(name, size, format, (int)getpid(), number);
}

static void* use_names(void* argument) {
    char semaphore[64];
    char memory[64];
    name_it(semaphore, sizeof semaphore, "/race-%d-%d", (int)(long)argument);
    name_it(memory, sizeof memory, "/race-%d-m%d", (int)(long)argument);
    for (unsigned round = 0;; round++) {
        sem_t* made = sem_open(semaphore, O_CREAT, 0600, 0);
        check(made != SEM_FAILED, 98);
        sem_close(made);
        const int fd = shm_open(memory, O_CREAT | O_RDWR, 0600);
        check(fd >= 0, 97);
        close(fd);
        char path[] = "/dev/shm/race-XXXXXX";
        const int file = mkstemp(path);
        check(file >= 0, 96);
        close(file);
        sem_unlink(semaphore);
        shm_unlink(memory);
        unlink(path);
        if (round == 3) atomic_fetch_add(begun, 1);
    }
    return NULL;
}

static void* use_ipc(void* argument) {
    const int first_key = (int)(getpid() & 0xfffff) << 4;
    char name[64];
    name_it(name, sizeof name, "/race-%d-%d", (int)(long)argument);
    // A user may have 800 kB in all queues together.
    struct mq_attr small = {.mq_maxmsg = 1, .mq_msgsize = 16};
    for (unsigned round = 0;; round++) {
        const int key = round % 2 != 0 ? first_key : IPC_PRIVATE;
        const mqd_t posix = mq_open(name, O_CREAT | O_RDWR, 0600, &small);
        check(posix >= 0, 95);
        mq_close(posix);
        const int memory = shmget(key, 1000, IPC_CREAT | 0600);
        const int set = semget(key, 2, IPC_CREAT | 0600);
        const int queue = msgget(key, IPC_CREAT | 0600);
        check(memory >= 0 && set >= 0 && queue >= 0, 94);
        mq_unlink(name);
        shmctl(memory, IPC_RMID, NULL);
        semctl(set, 0, IPC_RMID);
        msgctl(queue, IPC_RMID, NULL);
        if (round == 3) atomic_fetch_add(begun, 1);
    }
    return NULL;
}

static void* use_files(void* argument) {
    char path[64];
    char plain[64];
    name_it(path, sizeof path, "race-%d-s%d", (int)(long)argument);
    name_it(plain, sizeof plain, "own-%d-%d", (int)(long)argument);
    for (unsigned round = 0;; round++) {
        char file[64];
        char folder[64];
        name_it(file, sizeof file, "race-%d-%dXXXXXX.txt", (int)(long)argument);
        name_it(folder, sizeof folder, "race-%d-%dXXXXXX", (int)(long)argument);
        const int fd = mkstemps(file, 4);
        check(fd >= 0, 93);
        close(fd);
        check(mkdtemp(folder) != NULL, 92);
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        strcpy(address.sun_path, path);
        const int bound = socket(AF_UNIX, SOCK_STREAM, 0);
        check(bind(bound, (struct sockaddr*)&address, sizeof address) == 0, 91);
        close(bound);
        // The program's own from here on, and never reported.
        if (round % 2 == 0) check(rename(file, plain) == 0, 90);
        unlink(round % 2 == 0 ? plain : file);
        rmdir(folder);
        unlink(path);
        if (round == 3) atomic_fetch_add(begun, 1);
    }
    return NULL;
}

// A child that leaves the group, makes something, tells, and stays. Its creator ends it, and removes what
// it made.
static pid_t fork_child(const int* ready) {
    const pid_t child = fork();
    if (child != 0) return child;
    char name[64];
    name_it(name, sizeof name, "/race-%d-%d", 0);
    setsid();
    const int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
    check(write(ready[1], "", 1) == 1 && fd >= 0, 89);
    for (;;) pause();
}

static pid_t spawn_child(void) {
    char* words[] = {"sleep", "600", NULL};
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    pid_t child = -1;
    check(posix_spawnp(&child, "sleep", NULL, &attributes, words, environ) == 0, 88);
    posix_spawnattr_destroy(&attributes);
    return child;
}

static void* use_processes(void* argument) {
    (void)argument;
    int ready[2];
    check(pipe(ready) == 0, 87);
    for (unsigned round = 0;; round++) {
        const int forks = round % 3 != 2;
        const pid_t child = forks ? fork_child(ready) : spawn_child();
        char byte;
        check(child > 0 && (!forks || read(ready[0], &byte, 1) == 1), 86);
        kill(child, SIGKILL);
        check(waitpid(child, NULL, 0) == child, 85);
        char name[64];
        snprintf(name, sizeof name, "/race-%d-0", (int)child);
        if (forks) shm_unlink(name);
        if (round == 3) atomic_fetch_add(begun, 1);
    }
    return NULL;
}

static int start(const work_function* work, int count) {
    for (long number = 0; number < count; number++) {
        pthread_t thread;
        check(pthread_create(&thread, NULL, work[number], (void*)(number + 1)) == 0, 99);
    }
    return count;
}

int main(int count, char** words) {
    check(count == 3 && setpgid(0, 0) == 0 && chdir(words[2]) == 0, 99);
    begun = mmap(NULL, sizeof *begun, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    check(begun != MAP_FAILED, 99);
    // Before there are threads: glibc's sem_open does not survive a fork beside it.
    const pid_t child = fork();
    check(child >= 0, 99);
    if (child == 0) {
        const work_function work[] = {use_names, use_ipc, use_files};
        start(work, 3);
        for (;;) pause();
    }
    const work_function work[] = {use_names, use_names, use_ipc, use_files, use_processes};
    const int threads = start(work, 5) + 3;
    while (atomic_load(begun) < threads) usleep(100);
    FILE* file = fopen(words[1], "w");
    fprintf(file, "%d\n", (int)getpid());
    fclose(file);
    for (;;) pause();
}
