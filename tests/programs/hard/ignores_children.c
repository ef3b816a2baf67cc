// Ignores SIGCHLD, or wants no zombies: its children go by themselves and nobody can wait for them.
#include "hard.h"

static volatile sig_atomic_t told;
static void tell(int number) { (void)number; told++; }

static void try_all(const char* how) {
    SAY("%s\n", how);
    const pid_t child = fork();
    if (child == 0) _exit(3);
    SAY("  waitpid: %d\n", status_of(child));
    int gone = 0;
    for (int i = 0; i < 20; i++) {
        const pid_t other = fork();
        if (other == 0) _exit(i);
    }
    errno = 0;
    gone = (int)wait(NULL);
    SAY("  wait: %d, errno %d\n", gone, errno);
    errno = 0;
    SAY("  system: %d, ", system("exit 4"));
    SAY("errno %d\n", errno == ECHILD);
    FILE* stream = popen("echo x; exit 5", "r");
    SAY("  popen: %d", fgetc(stream));
    while (fgetc(stream) != EOF) {
    }
    SAY(" %d\n", pclose(stream));
}

int main(void) {
    signal(SIGCHLD, SIG_IGN);
    try_all("ignored");
    struct sigaction action = {.sa_handler = tell, .sa_flags = SA_NOCLDWAIT | SA_RESTART};
    sigaction(SIGCHLD, &action, NULL);
    try_all("no zombies");
    SAY("told: %d\n", told > 0);
    action = (struct sigaction){.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT};
    sigaction(SIGCHLD, &action, NULL);
    try_all("no zombies by default");
    return 18;
}
