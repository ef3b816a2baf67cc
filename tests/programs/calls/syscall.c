// calls: syscall
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "call.h"

static long sum(void) {
    // All six arguments arrive: this one looks at each.
    static char page[4096];
    return syscall(SYS_mmap, NULL, sizeof page, 3, 0x22, -1, 0) != -1;
}

int main(void) {
    TRY("syscall, six arguments", (int)sum());
    TRY("syscall, getpid", syscall(SYS_getpid) == getpid());
    TRY("syscall, no such call", (int)syscall(-1));
    TRY("syscall, a bad address", (int)syscall(SYS_openat, -100, (void*)1, 0));
    TRY("syscall, no such filter operation", (int)syscall(SYS_seccomp, 4711, 0, NULL));
    TRY("syscall, a filter at a bad address", (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, (void*)1));
    TRY("syscall, a filter that is asked for", (int)syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, NULL));
    return 0;
}
