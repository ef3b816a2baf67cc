// Built with ThreadSanitizer: threads that create and remove, without a race. (No sem_open: glibc keeps a
// table under a lock of its own, which the sanitizer does not know.)
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void* work(void* argument) {
    for (int round = 0; round < 20; round++) {
        char name[64];
        snprintf(name, sizeof name, "/tsan-%ld-%d", (long)argument, round);
        const int memory = shm_open(name, O_CREAT | O_RDWR, 0600);
        char path[] = "tsan-XXXXXX";
        const int file = mkstemp(path);
        if (memory < 0 || file < 0) return "failed";
        close(memory);
        close(file);
        shm_unlink(name);
        unlink(path);
    }
    return NULL;
}

int main(void) {
    int failed = 0;
    for (int round = 0; round < 30; round++) {
        pthread_t threads[4];
        for (long i = 0; i < 4; i++) pthread_create(&threads[i], NULL, work, (void*)i);
        for (int i = 0; i < 4; i++) {
            void* result = NULL;
            pthread_join(threads[i], &result);
            failed += result != NULL;
        }
    }
    printf("failed: %d\n", failed);
    return 7;
}
