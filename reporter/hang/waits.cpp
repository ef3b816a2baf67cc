#include "reporter/hang/waits.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include <algorithm>
#include <array>

namespace leftover::hang {
namespace {

using What = Wait::What;

constexpr std::size_t most_files = 4096;

struct Row {
    long number;
    const char* name;
};

// One descriptor, the first argument, to be read from or written to.
constexpr Row reading[] = {
    {SYS_read, "read"},         {SYS_pread64, "read"},    {SYS_readv, "read"},         {SYS_preadv, "read"},
    {SYS_recvfrom, "recvfrom"}, {SYS_recvmsg, "recvmsg"}, {SYS_recvmmsg, "recvmmsg"},  {SYS_accept4, "accept"},
    {SYS_accept, "accept"},
};
constexpr Row writing[] = {
    {SYS_write, "write"},   {SYS_pwrite64, "write"},  {SYS_writev, "write"},       {SYS_pwritev, "write"},
    {SYS_sendto, "sendto"}, {SYS_sendmsg, "sendmsg"}, {SYS_sendmmsg, "sendmmsg"},  {SYS_connect, "connect"},
};
// What else is worth a name.
constexpr Row others[] = {
    {SYS_fsync, "fsync"},
    {SYS_fdatasync, "fdatasync"},
    {SYS_ioctl, "ioctl"},
    {SYS_clone, "clone (until the child executes a program)"},
#ifdef SYS_vfork
    {SYS_vfork, "vfork (until the child executes a program)"},
#endif
    {SYS_io_getevents, "io_getevents"},
    {SYS_io_uring_enter, "io_uring_enter"},
    {SYS_futex_waitv, "futex_waitv"},
    {SYS_exit, "exit"},
    {SYS_exit_group, "exit_group"},
    {SYS_execve, "execve"},
    {SYS_munmap, "munmap"},
    {SYS_close, "close"},
    {SYS_ptrace, "ptrace"},
};

template <std::size_t Size>
const char* find(const Row (&rows)[Size], long number) {
    for (const Row& row : rows) {
        if (row.number == number) return row.name;
    }
    return nullptr;
}

std::optional<double> duration(Memory& memory, std::uint64_t address) {
    timespec time{};
    if (address == 0 || !memory.read(address, &time, sizeof time)) return std::nullopt;
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

Wait files(const char* call, int fd, bool for_reading) {
    Wait wait;
    wait.what = What::files;
    wait.call = call;
    wait.files.push_back({fd, for_reading, !for_reading});
    return wait;
}

Wait polled(const char* name, const Call& call, Memory& memory) {
    Wait wait;
    wait.what = What::files;
    wait.call = name;
    const std::size_t count = std::min<std::uint64_t>(call.arguments[1], most_files);
    for (std::size_t i = 0; i < count; ++i) {
        pollfd entry{};
        if (!memory.read(call.arguments[0] + i * sizeof entry, &entry, sizeof entry)) break;
        if (entry.fd < 0) continue;
        wait.files.push_back({entry.fd, (entry.events & (POLLIN | POLLPRI)) != 0, (entry.events & POLLOUT) != 0});
    }
    return wait;
}

Wait selected(const char* name, const Call& call, Memory& memory) {
    Wait wait;
    wait.what = What::files;
    wait.call = name;
    const auto count = static_cast<int>(std::min<std::uint64_t>(call.arguments[0], most_files));
    std::array<std::vector<std::uint64_t>, 2> sets;
    for (std::size_t i = 0; i < sets.size(); ++i) {
        sets[i].resize(most_files / 64 + 1);
        const std::uint64_t address = call.arguments[1 + i];
        if (address == 0 || !memory.read(address, sets[i].data(), static_cast<std::size_t>(count + 63) / 64 * 8)) {
            sets[i].assign(sets[i].size(), 0);
        }
    }
    for (int fd = 0; fd < count; ++fd) {
        const auto is_in = [&](std::size_t set) { return (sets[set][static_cast<std::size_t>(fd) / 64] >> fd % 64 & 1) != 0; };
        if (is_in(0) || is_in(1)) wait.files.push_back({fd, is_in(0), is_in(1)});
    }
    return wait;
}

Wait futex(const Call& call, Memory& memory) {
    Wait wait;
    const auto operation = static_cast<int>(call.arguments[1]) & FUTEX_CMD_MASK;
    wait.what = What::futex;
    wait.call = "futex";
    wait.address = call.arguments[0];
    wait.value = static_cast<std::uint32_t>(call.arguments[2]);
    wait.is_shared = (call.arguments[1] & FUTEX_PRIVATE_FLAG) == 0;
    wait.is_inheriting = operation == FUTEX_LOCK_PI || operation == FUTEX_LOCK_PI2;
    wait.has_timeout = call.arguments[3] != 0;
    if (wait.is_inheriting) memory.read(wait.address, &wait.value, sizeof wait.value);
    return wait;
}

Wait child(const Call& call, bool by_waitid) {
    Wait wait;
    wait.what = What::child;
    wait.call = by_waitid ? "waitid" : "wait4";
    const auto id = static_cast<std::int32_t>(by_waitid ? call.arguments[1] : call.arguments[0]);
    if (!by_waitid) {
        wait.id = id;
        wait.is_group = id == 0 || id < -1;
    } else if (call.arguments[0] == P_PID) {
        wait.id = id;
    } else if (call.arguments[0] == P_PIDFD) {
        wait.fd = id;
    } else {
        wait.is_group = call.arguments[0] == P_PGID;
    }
    return wait;
}

Wait opened(const char* name, std::uint64_t address, Memory& memory) {
    Wait wait;
    wait.what = What::open;
    wait.call = name;
    char c = 0;
    while (wait.path.size() < 4096 && memory.read(address + wait.path.size(), &c, 1) && c != 0) wait.path += c;
    return wait;
}

Wait simple(What what, const char* name) {
    Wait wait;
    wait.what = what;
    wait.call = name;
    return wait;
}

}  // namespace

Wait decode(const Call& call, Memory& memory, long number_in_code) {
    const long number = call.number == SYS_restart_syscall ? number_in_code : call.number;
    const auto& arguments = call.arguments;
    const int first = static_cast<int>(arguments[0]);
    Wait wait;
    if (call.number < 0) return wait;
    if (const char* name = find(reading, number)) return files(name, first, true);
    if (const char* name = find(writing, number)) return files(name, first, false);
    switch (number) {
#ifdef SYS_poll
        case SYS_poll:
            wait = polled("poll", call, memory);
            wait.has_timeout = static_cast<int>(arguments[2]) >= 0;
            if (wait.has_timeout) wait.seconds = static_cast<int>(arguments[2]) / 1e3;
            return wait;
        case SYS_select:
            wait = selected("select", call, memory);
            wait.has_timeout = arguments[4] != 0;
            if (timeval time{}; wait.has_timeout && memory.read(arguments[4], &time, sizeof time)) {
                wait.seconds = static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
            }
            return wait;
        case SYS_epoll_wait:
        case SYS_pause:
            if (number == SYS_pause) return simple(What::signal, "pause");
            [[fallthrough]];
#endif
        case SYS_epoll_pwait:
        case SYS_epoll_pwait2:
            wait = simple(What::files, "epoll_wait");
            wait.fd = first;
            wait.is_epoll = true;
            wait.has_timeout = number == SYS_epoll_pwait2 ? arguments[3] != 0 : static_cast<int>(arguments[3]) >= 0;
            return wait;
        case SYS_ppoll:
            wait = polled("poll", call, memory);
            wait.has_timeout = arguments[2] != 0;
            wait.seconds = duration(memory, arguments[2]);
            return wait;
        case SYS_pselect6:
            wait = selected("select", call, memory);
            wait.has_timeout = arguments[4] != 0;
            wait.seconds = duration(memory, arguments[4]);
            return wait;
        case SYS_wait4: return child(call, false);
        case SYS_waitid: return child(call, true);
        case SYS_futex: return futex(call, memory);
        case SYS_nanosleep:
            wait = simple(What::time, "sleep");
            wait.seconds = duration(memory, arguments[0]);
            return wait;
        case SYS_clock_nanosleep:
            wait = simple(What::time, "sleep");
            wait.seconds = duration(memory, arguments[2]);
            if ((arguments[1] & TIMER_ABSTIME) != 0 && wait.seconds) {
                timespec now{};
                wait.is_rest = true;
                if (::clock_gettime(first, &now) != 0) wait.seconds.reset();
                if (wait.seconds) *wait.seconds -= static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
            }
            return wait;
        case SYS_flock:
            wait = simple(What::file_lock, "flock");
            wait.fd = first;
            return wait;
        case SYS_fcntl:
            if (arguments[1] != F_SETLKW && arguments[1] != F_OFD_SETLKW) break;
            wait = simple(What::file_lock, "fcntl");
            wait.fd = first;
            wait.is_record = true;
            return wait;
#ifdef SYS_semop
        case SYS_semop:
#endif
        case SYS_semtimedop:
            wait = simple(What::semaphores, "semop");
            wait.id = first;
            return wait;
        case SYS_msgsnd:
        case SYS_msgrcv:
            wait = simple(What::messages, number == SYS_msgsnd ? "msgsnd" : "msgrcv");
            wait.id = first;
            return wait;
        case SYS_mq_timedsend:
        case SYS_mq_timedreceive:
            wait = simple(What::queue, number == SYS_mq_timedsend ? "mq_send" : "mq_receive");
            wait.fd = first;
            return wait;
        case SYS_rt_sigsuspend: return simple(What::signal, "sigsuspend");
        case SYS_rt_sigtimedwait: return simple(What::signal, "sigwait");
#ifdef SYS_open
        case SYS_open: return opened("open", arguments[0], memory);
#endif
        case SYS_openat: return opened("open", arguments[1], memory);
        case SYS_restart_syscall:
        case -1: return simple(What::other, "a system call that was begun anew");
        default: break;
    }
    if (const char* name = find(others, number)) return simple(What::other, name);
    return simple(What::other, fmt::format("system call {}", number).c_str());
}

}  // namespace leftover::hang
