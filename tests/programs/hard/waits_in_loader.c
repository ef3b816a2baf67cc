// A thread that goes through the loaded modules waits there for what another thread has, which creates, forks and
// throws meanwhile, at places that nobody has seen before.
// leaves: semaphore /hard-loader
#include <link.h>

#include "hard.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static volatile int within;

static int waits(struct dl_phdr_info* module, size_t size, void* data) {
    within = 1;
    const int error = pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    return 40 + error;
}

static void* looks(void* argument) { return (void*)(intptr_t)dl_iterate_phdr(waits, argument); }

int main(void) {
    pthread_t thread;
    void* found = NULL;
    pthread_mutex_lock(&mutex);
    SAY("%d\n", pthread_create(&thread, NULL, looks, NULL));
    while (!within) sched_yield();
    SAY("%d\n", make_some());
    SAY("%d\n", leave("/hard-loader"));
    SAY("%d %d\n", make_thread(), close(open("/dev/null", O_RDONLY)));
    const pid_t child = vfork();
    if (child == 0) _exit(3);
    SAY("%d\n", status_of(child));
    pthread_mutex_unlock(&mutex);
    SAY("%d\n", pthread_join(thread, &found));
    SAY("%d\n", (int)(intptr_t)found);
    return 11;
}
