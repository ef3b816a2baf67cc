// leftover: nothing
// Everything that it makes it removes, some of it in another process.
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    char name[64];
    snprintf(name, sizeof name, "/sample-%d", (int)getpid());
    sem_t* semaphore = sem_open(name, O_CREAT | O_EXCL, 0600, 0);
    assert(semaphore != SEM_FAILED);
    int memory = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
    assert(memory >= 0);
    assert(ftruncate(memory, 4096) == 0);
    int* number = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    assert(number != MAP_FAILED);

    pid_t child = fork();
    if (child == 0) {
        *number = 42;
        sem_post(semaphore);
        shm_unlink(name);  // the child tidies up after its parent
        _exit(0);
    }
    assert(sem_wait(semaphore) == 0);
    assert(waitpid(child, NULL, 0) == child);
    assert(sem_unlink(name) == 0);
    assert(shm_unlink(name) == -1 && errno == ENOENT);

    char path[] = "/dev/shm/sample-XXXXXX";
    int fd = mkstemp(path);
    assert(fd >= 0);
    assert(unlink(path) == 0);
    assert(shm_open("/sample-absent", O_RDWR, 0) == -1 && errno == ENOENT);
    assert(sem_open("/sample-absent", 0) == SEM_FAILED && errno == ENOENT);
    printf("%d\n", *number);
    return 0;
}
