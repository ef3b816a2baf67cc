#include "reporter/run/helper_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <utility>

#include "reporter/kernel/process.h"

namespace leftover::run {
namespace {

constexpr const char* helper_name = "leftover-helper";

void close_between(unsigned first, unsigned last) {
    if (first > last || ::syscall(SYS_close_range, first, last, 0U) == 0) return;
    const long most = std::min(::sysconf(_SC_OPEN_MAX), 65'536L);
    for (unsigned fd = first; fd <= last && fd < static_cast<unsigned>(most); ++fd) {
        ::close(static_cast<int>(fd));
    }
}

// `kept` in ascending order.
void close_all_but(const std::vector<int>& kept) {
    unsigned next = 0;
    for (const int fd : kept) {
        if (fd < 0) continue;
        if (static_cast<unsigned>(fd) > next) close_between(next, static_cast<unsigned>(fd) - 1);
        next = static_cast<unsigned>(fd) + 1;
    }
    close_between(next, UINT_MAX);
}

// A helper that has not got round to closing what it inherited keeps the program's streams and the
// session's locks, and has no name to be known by: nobody goes on before it has.
class Readiness {
public:
    Readiness() {
        if (::pipe2(ends_.data(), O_CLOEXEC) != 0) ends_ = {-1, -1};
    }
    ~Readiness() {
        for (const int fd : ends_) {
            if (fd >= 0) ::close(fd);
        }
    }
    Readiness(const Readiness&) = delete;
    Readiness& operator=(const Readiness&) = delete;

    // In the parent: until the helper has closed its end.
    void wait() {
        if (ends_[0] < 0) return;
        ::close(std::exchange(ends_[1], -1));
        char nothing = 0;
        while (::read(ends_[0], &nothing, 1) < 0 && errno == EINTR) {
        }
    }

private:
    std::array<int, 2> ends_{};
};

}  // namespace

HelperProcess::HelperProcess(HelperProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)) {}

HelperProcess& HelperProcess::operator=(HelperProcess&& other) noexcept {
    if (this != &other) {
        end();
        pid_ = std::exchange(other.pid_, -1);
    }
    return *this;
}

pid_t HelperProcess::fork_helper(HelperNeeds& needs) {
    const pid_t parent = ::getpid();
    std::sort(needs.descriptors.begin(), needs.descriptors.end());
    Readiness ready;
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    // Without a signal at its end, so that only a wait with __WALL finds it.
    const long pid = ::syscall(SYS_clone, 0L, 0L, 0L, 0L, 0L);
    if (pid == 0) {
        if (!needs.outlives) ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::prctl(PR_SET_NAME, helper_name);
        if (!needs.outlives && ::getppid() != parent) end_helper();
        close_all_but(needs.descriptors);
        return 0;
    }
    sigprocmask(SIG_SETMASK, &before, nullptr);
    if (pid > 0) ready.wait();
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

bool is_helper(const kernel::ProcessStat& process) {
    return process.comm == helper_name &&
           kernel::read_executable(process.pid) == kernel::read_executable(process.ppid);
}

}  // namespace leftover::run
