// Forks from eight threads at once, a thousand times together; then a thousand times from one.
// leaves: semaphore /hard-eight, semaphore /hard-grandchild
#include "hard.h"

static int sums[8];

static void* forks(void* argument) {
    const long me = (long)argument;
    for (int i = 0; i < 125; i++) {
        const pid_t child = fork();
        if (child == 0) {
            // A name of its own, and what it inherited is nobody's business here.
            char file[] = "/tmp/hard-XXXXXX";
            const int handle = mkstemp(file);
            if (handle < 0 || unlink(file) != 0) _exit(90);
            if (me == 3 && i == 50) leave("/hard-eight");
            _exit(i);
        }
        const int status = status_of(child);
        sums[me] += status == i ? 1 : 1000;
    }
    return NULL;
}

int main(void) {
    pthread_t threads[8];
    for (long i = 0; i < 8; i++) pthread_create(&threads[i], NULL, forks, (void*)i);
    for (int i = 0; i < 8; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < 8; i++) SAY("%d ", sums[i]);
    int good = 0;
    for (int i = 0; i < 1000; i++) {
        const pid_t child = fork();
        if (child == 0) {
            if (i == 500) {
                const pid_t grandchild = fork();
                if (grandchild == 0) _exit(leave("/hard-grandchild"));
                _exit(status_of(grandchild) == 0 ? i & 127 : 91);
            }
            _exit(i & 127);
        }
        good += status_of(child) == (i & 127);
    }
    SAY("%d, nobody left: %d\n", good, wait(NULL) == -1 && errno == ECHILD);
    return 7;
}
