// kill_race FILE [files]: eight threads create and remove names as fast as they can, until somebody
// kills it; with mkstemp, too, if asked.
// Writes its pid to FILE when all of them have begun.
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { thread_count = 8, names = 4 };

static atomic_int begun;
static int with_files;

static void use_semaphore(const char* name) {
    sem_t* semaphore = sem_open(name, O_CREAT, 0600, 0);
    if (semaphore == SEM_FAILED) _exit(98);
    sem_close(semaphore);
}

static void use_memory(const char* name) {
    int fd = shm_open(name, O_CREAT | O_RDWR, 0600);
    if (fd < 0) _exit(97);
    close(fd);
}

static void use_file(char* path) {
    int fd = mkstemp(path);
    if (fd < 0) _exit(96);
    close(fd);
}

static void* work(void* argument) {
    const int number = (int)(long)argument;
    for (unsigned round = 0;; round++) {
        char name[names][64];
        for (int i = 0; i < names; i++) {
            snprintf(name[i], sizeof name[i], "/race-%d-%d", number, i);
        }
        char path[] = "/dev/shm/race-XXXXXX";
        use_semaphore(name[0]);
        use_memory(name[1]);
        use_semaphore(name[2]);
        if (with_files) use_file(path);
        sem_unlink(name[0]);
        shm_unlink(name[1]);
        if (with_files) unlink(path);
        sem_unlink(name[2]);
        if (round == 3) atomic_fetch_add(&begun, 1);
    }
    return NULL;
}

int main(int count, char** words) {
    with_files = count > 2;
    for (long number = 0; number < thread_count; number++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, work, (void*)number) != 0) return 99;
    }
    while (atomic_load(&begun) < thread_count) usleep(100);
    FILE* file = fopen(words[1], "w");
    fprintf(file, "%d\n", (int)getpid());
    fclose(file);
    for (;;) pause();
}
