// Looks at ended children without waiting for them (WNOWAIT), and counts the signals that tell of each.
// leaves: zombie looks_first
#include "hard.h"

int main(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    for (int i = 0; i < 20; i++) {
        const pid_t child = fork();
        if (child == 0) _exit(i);
        siginfo_t told, seen = {0};
        sigwaitinfo(&set, &told);
        int good = told.si_pid == child && told.si_status == i && told.si_code == CLD_EXITED;
        for (int look = 0; look < 3; look++) {
            seen.si_pid = 0;
            good += waitid(look % 2 == 0 ? P_PID : P_ALL, (id_t)child, &seen, WEXITED | WNOWAIT) == 0 && seen.si_pid == child;
        }
        struct rusage usage;
        int status = 0;
        good += (i % 2 == 0 ? wait4(child, &status, 0, &usage) : wait3(&status, 0, &usage)) == child;
        good += WEXITSTATUS(status) == i;
        good += waitid(P_PID, (id_t)child, &seen, WEXITED | WNOWAIT) == -1 && errno == ECHILD;
        if (good != 7) SAY("%d: %d\n", i, good);
    }
    // Only looked at.
    const pid_t child = fork();
    if (child == 0) _exit(50);
    siginfo_t seen = {0};
    SAY("%d %d\n", waitid(P_PID, (id_t)child, &seen, WEXITED | WNOWAIT), seen.si_status);
    // Stopped and continued children have not ended.
    const pid_t other = fork();
    if (other == 0) {
        raise(SIGSTOP);
        _exit(51);
    }
    int status = 0;
    SAY("%d %d\n", waitpid(other, &status, WUNTRACED) == other, WIFSTOPPED(status));
    kill(other, SIGCONT);
    SAY("%d %d\n", waitpid(other, &status, WCONTINUED) == other, WIFCONTINUED(status) || WIFEXITED(status));
    if (!WIFEXITED(status)) SAY("%d\n", waitpid(other, &status, 0) == other);
    SAY("%d\n", WEXITSTATUS(status));
    return 19;
}
