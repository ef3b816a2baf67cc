// leftover: semaphore=1@make_lock process=1@start_worker shared_memory=1@make_buffer
// Ended by SIGSEGV: what it left stays in the records.
#include <assert.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static void make_lock(void) {
    sem_unlink("/sample-crash");
    assert(sem_open("/sample-crash", O_CREAT, 0600, 1) != SEM_FAILED);
}

static void make_buffer(void) {
    shm_unlink("/sample-crash");
    assert(shm_open("/sample-crash", O_CREAT | O_RDWR, 0600) >= 0);
}

static void start_worker(void) {
    pid_t child = fork();
    if (child == 0) {
        sleep(600);
        _exit(0);
    }
    assert(child > 0);
}

int main(void) {
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    make_lock();
    make_buffer();
    start_worker();
    puts("three are left");
    fflush(stdout);
    raise(SIGSEGV);
    return 0;
}
