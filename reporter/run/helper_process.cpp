#include "reporter/run/helper_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <utility>

namespace leftover::run {

HelperProcess::HelperProcess(HelperProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)) {}

HelperProcess& HelperProcess::operator=(HelperProcess&& other) noexcept {
    if (this != &other) {
        end();
        pid_ = std::exchange(other.pid_, -1);
    }
    return *this;
}

pid_t HelperProcess::fork_helper() {
    const pid_t parent = ::getpid();
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    // Without a signal at its end, so that only a wait with __WALL finds it.
    const long pid = ::syscall(SYS_clone, 0L, 0L, 0L, 0L, 0L);
    if (pid == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::prctl(PR_SET_NAME, "leftover-helper");
        if (::getppid() != parent) end_helper();
        if (::syscall(SYS_close_range, 0U, UINT_MAX, 0U) != 0) {
            const long most = ::sysconf(_SC_OPEN_MAX);
            for (int fd = 0; fd < most && fd < 65'536; ++fd) ::close(fd);
        }
        return 0;
    }
    sigprocmask(SIG_SETMASK, &before, nullptr);
    return static_cast<pid_t>(pid);
}

void HelperProcess::end_helper() {
    for (;;) ::syscall(SYS_exit_group, 0);
}

void HelperProcess::end() {
    const pid_t pid = std::exchange(pid_, -1);
    if (pid <= 0) return;
    ::kill(pid, SIGKILL);
    siginfo_t info;
    while (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | __WALL) != 0 &&
           errno == EINTR) {
    }
}

}  // namespace leftover::run
