// Waiting for children: what was fetched is over and its slot free. The guard is not held: these block,
// and what a signal handler does meanwhile is the program's own.
#include <sys/resource.h>
#include <sys/wait.h>

#include <cerrno>

#include "preload/hooks/child.h"

namespace leftover {

namespace {

// The status goes through a variable of ours, and a bad address must fail in the kernel.
bool keeps_books(const int* status) { return ready() && (status == nullptr || sys::readable(status)); }

void fetched(pid_t pid, int status) {
    if (pid <= 0 || (!WIFEXITED(status) && !WIFSIGNALED(status))) return;
    const int saved = errno;
    if (Entry entry(child_kinds); entry) child_ended(pid, status);
    errno = saved;
}

}  // namespace

HOOK(pid_t, wait, int* status) {
    if (!keeps_books(status)) return real_wait(status);
    int result = 0;
    const pid_t pid = real_wait(&result);
    fetched(pid, result);
    if (pid > 0 && status != nullptr) *status = result;
    return pid;
}

HOOK(pid_t, waitpid, pid_t which, int* status, int flags) {
    if (!keeps_books(status)) return real_waitpid(which, status, flags);
    int result = 0;
    const pid_t pid = real_waitpid(which, &result, flags);
    fetched(pid, result);
    if (pid > 0 && status != nullptr) *status = result;
    return pid;
}

HOOK(pid_t, __waitpid, pid_t which, int* status, int flags) {
    if (!keeps_books(status)) return real___waitpid(which, status, flags);
    int result = 0;
    const pid_t pid = real___waitpid(which, &result, flags);
    fetched(pid, result);
    if (pid > 0 && status != nullptr) *status = result;
    return pid;
}

HOOK(pid_t, wait3, int* status, int flags, struct rusage* usage) {
    if (!keeps_books(status)) return real_wait3(status, flags, usage);
    int result = 0;
    const pid_t pid = real_wait3(&result, flags, usage);
    fetched(pid, result);
    if (pid > 0 && status != nullptr) *status = result;
    return pid;
}

HOOK(pid_t, wait4, pid_t which, int* status, int flags, struct rusage* usage) {
    if (!keeps_books(status)) return real_wait4(which, status, flags, usage);
    int result = 0;
    const pid_t pid = real_wait4(which, &result, flags, usage);
    fetched(pid, result);
    if (pid > 0 && status != nullptr) *status = result;
    return pid;
}

HOOK(int, waitid, idtype_t type, id_t id, siginfo_t* info, int flags) {
    if (!ready()) return real_waitid(type, id, info, flags);
    siginfo_t own;
    siginfo_t* const result = info != nullptr ? info : &own;
    const int error = real_waitid(type, id, result, flags);
    if (error == 0 && (flags & WNOWAIT) == 0 && result->si_pid != 0) {
        switch (result->si_code) {
            case CLD_EXITED: fetched(result->si_pid, W_EXITCODE(result->si_status, 0)); break;
            case CLD_KILLED: fetched(result->si_pid, W_EXITCODE(0, result->si_status)); break;
            case CLD_DUMPED: fetched(result->si_pid, W_EXITCODE(0, result->si_status) | WCOREFLAG); break;
            default: break;
        }
    }
    return error;
}

}  // namespace leftover
