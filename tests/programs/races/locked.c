// What gil_lock.py calls.
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

// Called without the GIL.
int create_while_locked(const char* name) {
    pthread_mutex_lock(&lock);
    sem_t* semaphore = sem_open(name, O_CREAT, 0600, 0);
    int memory = shm_open(name, O_CREAT | O_RDWR, 0600);
    int good = semaphore != SEM_FAILED && memory >= 0;
    if (good) {
        sem_close(semaphore);
        close(memory);
        sem_unlink(name);
        shm_unlink(name);
    }
    pthread_mutex_unlock(&lock);
    return good;
}

// Called with the GIL, which nobody else gets meanwhile.
int wait_for_the_lock(void) {
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
    return 1;
}
