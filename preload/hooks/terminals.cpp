// Pseudoterminals; forkpty is with the other calls that fork.
#include <pty.h>
#include <utmp.h>

#include "preload/hooks/descriptor.h"

namespace leftover {

HOOK(int, posix_openpt, int flags) {
    bind_early();
    return opened_as(real_posix_openpt(flags), "/dev/ptmx");
}

HOOK(int, getpt, ) {
    bind_early();
    return opened_as(real_getpt(), "/dev/ptmx");
}

HOOK(int, openpty, int* master, int* slave, char* name, const struct termios* terminal, const struct winsize* window) {
    bind_early();
    const int result = real_openpty(master, slave, name, terminal, window);
    if (result == 0) {
        opened(*master, "/dev/ptmx");
        opened(*slave, "/dev/pts");
    }
    return result;
}

// It ends with the terminal on 0, 1 and 2 only.
HOOK(int, login_tty, int fd) {
    bind_early();
    const int result = real_login_tty(fd);
    if (result == 0 && fd > 2) closing(fd);
    return result;
}

}  // namespace leftover
