// calls: daemon
#include <limits.h>

#include "call.h"

// Runs daemon() in a child and tells, over a pipe, what became of the one that went on.
static void try_daemon(const char* what, int nochdir, int noclose) {
    int ends[2];
    if (pipe(ends) != 0) abort();
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        errno = 77;
        const int result = daemon(nochdir, noclose);
        const int error = errno;
        char text[PATH_MAX + 200], folder[PATH_MAX] = "", target[PATH_MAX] = "";
        getcwd(folder, sizeof folder);
        readlink("/proc/self/fd/1", target, sizeof target - 1);
        const int size = snprintf(text, sizeof text, "  %d, errno %d, leads %d, group %d, root %d, null %d\n", result,
                                  error, getsid(0) == getpid(), getpgrp() == getpid(), strcmp(folder, "/") == 0,
                                  strcmp(target, "/dev/null") == 0);
        if (write(ends[1], text, (size_t)size) != size) _exit(1);
        _exit(0);
    }
    close(ends[1]);
    reap(what, child);
    char text[512] = "";
    ssize_t size;
    while ((size = read(ends[0], text, sizeof text - 1)) > 0) {
        text[size] = 0;
        fputs(text, stdout);
    }
    close(ends[0]);
}

int main(void) {
    try_daemon("daemon", 0, 0);
    try_daemon("daemon, here", 1, 0);
    try_daemon("daemon, with output", 0, 1);
    try_daemon("daemon, here, with output", 1, 1);
    fflush(stdout);
    if (forbid_processes()) TRY("daemon, no more", daemon(1, 1));
    return 0;
}
