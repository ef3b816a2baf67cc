// name_race KIND FLAGS PROCESSES THREADS END MILLISECONDS: processes (and threads of each) that create and
// remove one and the same name as fast as they can, also each other's, and leave whatever is there in the end.
//   KIND   semaphore or memory: /raced
//   FLAGS  exclusive (O_CREAT | O_EXCL) or shared (O_CREAT)
//   END    exit: each ends after its call; stop: the same by SIGKILL; kill: killed wherever they are
// What a thread creates has permission bits that tell its INDEX (1 to 63): the truth, which costs no time.
// Prints INDEX and its thread's id, a line each.
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { most_processes = 16 };

static struct Shared {
    atomic_int ready, go, stop;
}* shared;

static int is_semaphore, flags, by_kill;

static void create(int mode) {
    if (is_semaphore) {
        sem_t* semaphore = sem_open("/raced", O_CREAT | flags, mode, 0);
        if (semaphore != SEM_FAILED) sem_close(semaphore);
    } else {
        const int fd = shm_open("/raced", O_CREAT | O_RDWR | flags, mode);
        if (fd >= 0) close(fd);
    }
}

static void* work(void* argument) {
    const int index = (int)(long)argument;
    const int mode = 0600 | (index & 7) | (index >> 3 & 7) << 3;
    unsigned chance = (unsigned)syscall(SYS_gettid) * 2654435761u;
    char line[64];
    const int size = snprintf(line, sizeof line, "%d %d\n", index, (int)syscall(SYS_gettid));
    if (write(1, line, (size_t)size) != size) _exit(98);
    atomic_fetch_add(&shared->ready, 1);
    while (!atomic_load(&shared->go)) usleep(100);
    while (!atomic_load(&shared->stop)) {
        create(mode);
        chance = chance * 1103515245u + 12345u;
        if (chance >> 16 & 1) is_semaphore ? sem_unlink("/raced") : shm_unlink("/raced");
    }
    return NULL;
}

static void run(int first, int threads) {
    pthread_t others[64];
    for (int i = 1; i < threads; i++) {
        if (pthread_create(&others[i], NULL, work, (void*)(long)(first + i)) != 0) _exit(97);
    }
    work((void*)(long)first);
    for (int i = 1; i < threads; i++) pthread_join(others[i], NULL);
    if (by_kill) kill(getpid(), SIGKILL);
    _exit(0);
}

int main(int count, char** words) {
    if (count != 7) return 99;
    is_semaphore = strcmp(words[1], "semaphore") == 0;
    flags = strcmp(words[2], "exclusive") == 0 ? O_EXCL : 0;
    const int processes = atoi(words[3]);
    const int threads = atoi(words[4]);
    by_kill = strcmp(words[5], "exit") != 0;
    const int anywhere = strcmp(words[5], "kill") == 0;
    if (processes > most_processes || processes * threads > 63) return 99;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    umask(0);
    pid_t children[most_processes];
    for (int i = 0; i < processes; i++) {
        children[i] = fork();
        if (children[i] == 0) run(1 + i * threads, threads);
    }
    while (atomic_load(&shared->ready) < processes * threads) usleep(100);
    atomic_store(&shared->go, 1);
    const long wait = (long)(atof(words[6]) * 1e6);
    nanosleep(&(struct timespec){.tv_nsec = wait}, NULL);
    if (anywhere) {
        for (int i = 0; i < processes; i++) kill(children[i], SIGKILL);
    } else {
        atomic_store(&shared->stop, 1);
    }
    for (int i = 0; i < processes; i++) waitpid(children[i], NULL, 0);
    return 0;
}
