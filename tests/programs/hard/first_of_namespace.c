// The first process of a pid namespace, as a container has one, forked and then executed: signals that it leaves at
// their defaults do not reach it, and interrupt nothing. Its children they end, and a fault ends itself.
// needs: root
// leaves: semaphore /hard-first, semaphore /hard-second
#include <poll.h>
#include <sched.h>

#include "hard.h"

static void observe(void) {
    int ends[2];
    SAY("pipe: %d, pid %d\n", pipe(ends), (int)getpid());
    const pid_t sender = fork();
    if (sender == 0) {
        // Until it must be in its call.
        for (int i = 0; i < 20; i++) {
            SAY("%s", kill(1, SIGTERM) | kill(1, SIGINT) | kill(1, SIGUSR1) | kill(1, SIGPIPE) ? "refused\n" : "");
            usleep(2000);
        }
        _exit(write(ends[1], "x", 1));
    }
    TELL(poll(&(struct pollfd){ends[0], POLLIN}, 1, -1));
    SAY("sender: %d\n", status_of(sender));
    const pid_t child = fork();
    if (child == 0) {
        raise(SIGTERM);
        _exit(1);
    }
    SAY("child: %d\n", status_of(child));
    struct sigaction action;
    TELL(sigaction(SIGTERM, NULL, &action));
    SAY("default: %d\n", action.sa_handler == SIG_DFL);
}

int main(int count, char** words) {
    if (count == 1) {
        TELL(unshare(CLONE_NEWPID));
        const pid_t first = fork();
        if (first == 0) {
            observe();
            SAY("%d\n", leave("/hard-first"));
            execl("/proc/self/exe", words[0], "executed", (char*)NULL);
            _exit(9);
        }
        SAY("first: %d\n", status_of(first));
        return 6;
    }
    observe();
    SAY("%d\n", leave("/hard-second"));
    *(volatile int*)8 = 1;
    return 1;
}
