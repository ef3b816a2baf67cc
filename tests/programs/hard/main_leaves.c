// Its main thread ends by pthread_exit while others go on, which fork and end the process.
// leaves: semaphore /hard-main-gone
#include "hard.h"

static pthread_t first;

static void* goes_on(void* argument) {
    SAY("main: %d\n", pthread_join(first, NULL));
    SAY("%d %d\n", make_some(), make_thread());
    const pid_t child = fork();
    if (child == 0) _exit(make_some());
    SAY("%d\n", status_of(child));
    SAY("%d\n", system("exit 3") >> 8);
    SAY("%d\n", leave("/hard-main-gone"));
    exit(30);
    return argument;
}

int main(void) {
    first = pthread_self();
    pthread_t other;
    pthread_create(&other, NULL, goes_on, NULL);
    pthread_detach(other);
    pthread_exit(NULL);
}
