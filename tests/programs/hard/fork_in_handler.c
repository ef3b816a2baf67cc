// Forks in a signal handler that interrupts whatever it does, three hundred times.
// leaves: semaphore /hard-handler
#include "hard.h"

static volatile sig_atomic_t good, bad;

static void handler(int signal) {
    (void)signal;
    const int kept = errno;
    const pid_t child = fork();
    if (child == 0) {
        // Now and then the child does what its parent was doing.
        if (good % 8 == 0) unlink("/tmp/hard-not-there");
        _exit(7);
    }
    if (status_of(child) == 7) good++;
    else bad++;
    errno = kept;
}

int main(void) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 1500}, {0, 1500}}, NULL);
    int some = 0, rounds = 0;
    while (good + bad < 300) {
        rounds++;
        some += make_some();
    }
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
    SAY("%d good, %d bad, all made: %d, all gone: %ld\n", good >= 300, bad, some == 3 * rounds, (long)wait(NULL));
    SAY("%d\n", leave("/hard-handler"));
    return 6;
}
