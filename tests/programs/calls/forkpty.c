// calls: forkpty
#include <pty.h>
#include <sys/ioctl.h>

#include "call.h"

int main(void) {
    int master = -5;
    char name[128] = "";
    struct winsize size = {.ws_row = 11, .ws_col = 22};
    fflush(stdout);
    const pid_t child = TRY_ANY("forkpty", forkpty(&master, name, NULL, &size));
    if (child == 0) {
        struct winsize seen = {0};
        ioctl(0, TIOCGWINSZ, &seen);
        dprintf(1, "%d %d %d", isatty(0), seen.ws_row, seen.ws_col);
        _exit(getsid(0) == getpid() ? 6 : 7);
    }
    char text[400] = "";
    size_t length = 0;
    ssize_t got;
    while ((got = read(master, text + length, sizeof text - 1 - length)) > 0) length += (size_t)got;
    text[length] = 0;
    reap("forkpty", child);
    // What the child itself told of its own call comes first.
    printf("  master %d, name %d, child says %s\n", master > 2, strncmp(name, "/dev/pts/", 9) == 0, text);
    close(master);
    if (forbid_processes()) TRY("forkpty, no more", forkpty(&master, NULL, NULL, NULL));
    return 0;
}
