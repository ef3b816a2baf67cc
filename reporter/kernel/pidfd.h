// Descriptors of processes: what is sent to one never reaches another process of the same pid.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

namespace leftover::kernel {

// By system call: glibc 2.36 declares these functions without C linkage. Return -1 with errno.
inline int pidfd_open(int pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }
inline int pidfd_send(int pidfd, int signal) {
    return static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0));
}

}  // namespace leftover::kernel
