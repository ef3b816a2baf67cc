// fork_race COUNT: six threads create and remove names while a seventh forks COUNT times; each child
// creates one more object and leaves it. Prints how many children did so.
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static atomic_int done;

static void* work(void* argument) {
    char name[64];
    snprintf(name, sizeof name, "/fork-%d", (int)(long)argument);
    while (!atomic_load(&done)) {
        int fd = shm_open(name, O_CREAT | O_RDWR, 0600);
        if (fd < 0) abort();
        close(fd);
        shm_unlink(name);
        sem_t* semaphore = sem_open(name, O_CREAT, 0600, 0);
        if (semaphore == SEM_FAILED) abort();
        sem_close(semaphore);
        sem_unlink(name);
    }
    return NULL;
}

__attribute__((noinline)) static int leave_in_child(int number) {
    char name[64];
    snprintf(name, sizeof name, "/fork-child-%d", number);
    int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
    close(fd);
    return fd < 0;
}

static void* fork_often(void* argument) {
    const int count = *(int*)argument;
    int good = 0;
    for (int number = 0; number < count; number++) {
        pid_t child = fork();
        if (child == 0) _exit(leave_in_child(number));
        int status = -1;
        if (child < 0 || waitpid(child, &status, 0) != child) abort();
        good += status == 0;
    }
    atomic_store(&done, 1);
    printf("%d\n", good);
    return NULL;
}

int main(int words_count, char** words) {
    int count = words_count > 1 ? atoi(words[1]) : 100;
    pthread_t threads[7];
    for (long number = 0; number < 6; number++) {
        pthread_create(&threads[number], NULL, work, (void*)number);
    }
    pthread_create(&threads[6], NULL, fork_often, &count);
    for (int number = 0; number < 7; number++) pthread_join(threads[number], NULL);
    return 0;
}
