// Waiting for children: what was fetched is over and its slot free. The guard is not held: these block,
// and what a signal handler does meanwhile is the program's own.
#include <sys/resource.h>
#include <sys/wait.h>

#include <cerrno>

#include "preload/hooks/child.h"

namespace leftover {

namespace {

// Where the status goes: into the program's own variable, which the kernel has written if it fetched a child, and
// has refused if it may not be written; or, when the program does not ask, into ours.
class Status {
  public:
    explicit Status(int* wanted) : at_(wanted != nullptr ? wanted : &own_) {}
    Status(const Status&) = delete;
    Status& operator=(const Status&) = delete;
    operator int*() { return at_; }
    int operator*() const { return *at_; }

  private:
    int own_ = 0;
    int* at_;
};

void fetched(pid_t pid, int status) {
    if (!WIFEXITED(status) && !WIFSIGNALED(status)) return;
    const int saved = errno;
    if (Entry entry(child_kinds); entry) child_ended(pid, status);
    errno = saved;
}

}  // namespace

HOOK(pid_t, wait, int* status) {
    if (!ready()) return real_wait(status);
    Status result(status);
    const pid_t pid = real_wait(result);
    if (pid > 0) fetched(pid, *result);
    return pid;
}

HOOK(pid_t, waitpid, pid_t which, int* status, int flags) {
    if (!ready()) return real_waitpid(which, status, flags);
    Status result(status);
    const pid_t pid = real_waitpid(which, result, flags);
    if (pid > 0) fetched(pid, *result);
    return pid;
}

HOOK(pid_t, __waitpid, pid_t which, int* status, int flags) {
    if (!ready()) return real___waitpid(which, status, flags);
    Status result(status);
    const pid_t pid = real___waitpid(which, result, flags);
    if (pid > 0) fetched(pid, *result);
    return pid;
}

HOOK(pid_t, wait3, int* status, int flags, struct rusage* usage) {
    if (!ready()) return real_wait3(status, flags, usage);
    Status result(status);
    const pid_t pid = real_wait3(result, flags, usage);
    if (pid > 0) fetched(pid, *result);
    return pid;
}

HOOK(pid_t, wait4, pid_t which, int* status, int flags, struct rusage* usage) {
    if (!ready()) return real_wait4(which, status, flags, usage);
    Status result(status);
    const pid_t pid = real_wait4(which, result, flags, usage);
    if (pid > 0) fetched(pid, *result);
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
