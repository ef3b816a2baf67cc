// Puts a file of its own where standard error was, and another where standard output was.
// leaves: semaphore /hard-on-2
#include "hard.h"

int main(void) {
    close(2);
    const int file = open("seen", O_RDWR | O_CREAT | O_TRUNC, 0600);
    SAY("%d\n", file);
    dprintf(file, "precious\n");
    make_some();
    leave("/hard-on-2");
    const pid_t child = fork();
    if (child == 0) {
        dprintf(2, "of the child\n");
        execl("/bin/sh", "sh", "-c", "echo of the shell >&2; no-such-program; exit 5", (char*)0);
        _exit(90);
    }
    SAY("%d\n", status_of(child));
    make_thread();
    close(1);
    close(0);
    if (open("/dev/full", O_WRONLY) != 0 || open("/dev/full", O_WRONLY) != 1) return 91;
    return 3;
}
