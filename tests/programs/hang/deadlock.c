// Two threads, each holding the lock that the other one wants.
#include <pthread.h>

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t second = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;

static void* worker(void* x) {
    pthread_mutex_lock(&second);
    pthread_barrier_wait(&both);
    pthread_mutex_lock(&first);  // worker hangs here
    return x;
}

int main(void) {
    pthread_t thread;
    pthread_barrier_init(&both, 0, 2);
    pthread_mutex_lock(&first);
    pthread_create(&thread, 0, worker, 0);
    pthread_barrier_wait(&both);
    pthread_mutex_lock(&second);  // main hangs here
    return 0;
}
