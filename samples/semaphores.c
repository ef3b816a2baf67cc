// leftover: semaphore=3@make_semaphores
// Named semaphores: closing one is not enough, its name has to be unlinked.
#include <assert.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <unistd.h>

static void make_semaphores(int count) {
    for (int number = 0; number < count; number++) {
        char name[64];
        snprintf(name, sizeof name, "/sample-%d-%d", (int)getpid(), number);
        sem_t* semaphore = sem_open(name, O_CREAT | O_EXCL, 0600, 1);
        assert(semaphore != SEM_FAILED);
        sem_close(semaphore);
    }
}

static void make_and_remove(void) {
    sem_t* semaphore = sem_open("/sample-tidy", O_CREAT, 0600, 0);
    assert(semaphore != SEM_FAILED);
    assert(sem_unlink("/sample-tidy") == 0);
    sem_close(semaphore);
}

int main(void) {
    make_and_remove();
    make_semaphores(3);
    puts("three are left");
    return 0;
}
