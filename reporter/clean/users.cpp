#include "reporter/clean/users.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "reporter/clean/bound_sockets.h"
#include "reporter/kernel/process.h"

namespace leftover::clean {

namespace {

enum class Lease { granted, refused, not_offered };

// Held no longer than this call: whoever opens the file meanwhile waits for that.
Lease ask_for_lease(int fd) {
    if (::fcntl(fd, F_SETLEASE, F_WRLCK) != 0) {
        return errno == EAGAIN || errno == EBUSY ? Lease::refused : Lease::not_offered;
    }
    ::fcntl(fd, F_SETLEASE, F_UNLCK);
    return Lease::granted;
}

std::vector<int> all_but_cleaners() {
    const auto own = kernel::file_at("/proc/self/exe");
    std::vector<int> pids = kernel::list_processes();
    std::erase_if(pids, [&](int pid) {
        if (pid == ::getpid()) return true;
        return own && kernel::file_at(fmt::format("/proc/{}/exe", pid)) == own;
    });
    return pids;
}

std::string who(int pid) {
    const auto stat = kernel::read_stat(pid);
    return fmt::format("pid {} ({})", pid, stat ? kernel::program_name(*stat) : "gone by now");
}

}  // namespace

Users::Users() : known_(kernel::file_users(all_but_cleaners())) {}

std::optional<std::string> Users::of(const kernel::FileId& id) const {
    const auto at = known_.files.find(id);
    if (at == known_.files.end()) return std::nullopt;
    return who(at->second);
}

std::optional<std::string> Users::of_sysv(std::int64_t shared_memory_id) const {
    const auto at = known_.sysv_shared_memory.find(shared_memory_id);
    if (at == known_.sysv_shared_memory.end()) return std::nullopt;
    return who(at->second);
}

std::string Users::of_unopened(const kernel::FileId& id) const {
    if (const auto user = of(id)) return "in use by " + *user;
    if (known_.unreadable.empty()) return {};
    return fmt::format("perhaps in use: {} may not be looked into", who(known_.unreadable.front()));
}

std::string Users::of_open(int fd, const kernel::FileId& id) const {
    if (const auto user = of(id)) return "in use by " + *user;
    // Another cleaner may be looking at it for a moment.
    constexpr timespec pause{0, 2'000'000};
    for (int attempt = 0; attempt < 4; ++attempt) {
        if (attempt > 0) ::nanosleep(&pause, nullptr);
        switch (ask_for_lease(fd)) {
            case Lease::granted: return {};
            case Lease::not_offered: return of_unopened(id);
            case Lease::refused: break;
        }
    }
    return "in use by a process that is not to be seen here, as in another pid namespace";
}

std::string Users::of_socket(const std::string& path, const kernel::FileId& id) const {
    if (is_socket_bound(path, id)) return "in use: a process has the socket open";
    return {};
}

}  // namespace leftover::clean
