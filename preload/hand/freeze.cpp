#include "preload/hand/freeze.h"

#include <atomic>

#include "preload/core/process.h"
#include "preload/core/sys.h"
#include "preload/core/text.h"
#include "preload/hand/folder.h"
#include "preload/hand/signals.h"

namespace leftover::hand {

namespace {

constexpr int request = SIGSTKFLT;  // no kernel ever sends it
constexpr long second = 1'000'000'000;

// The process that ends: a child forked by one of its threads in the last moment is not meant.
constinit std::atomic<std::uint32_t> frozen_pid{0};
constinit std::atomic<std::uint32_t> requested_pid{0};  // the same, and stays when it is over

std::uint32_t own_pid() { return static_cast<std::uint32_t>(sys::getpid()); }

}  // namespace

void freeze_others() {
    struct sigaction action;
    if (real_action(request, nullptr, &action) != 0 || !is_ours(action)) return;
    const long folder = sys::open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (sys::failed(folder)) return;
    const pid_t pid = sys::getpid();
    const pid_t self = sys::gettid();
    requested_pid.store(own_pid(), std::memory_order_relaxed);
    frozen_pid.store(own_pid(), std::memory_order_release);
    each_name(folder, [&](const char* name) {
        std::string_view digits(name);
        std::uint64_t tid = 0;
        if (take_number(digits, tid) && static_cast<pid_t>(tid) != self) {
            sys::call(SYS_tgkill, pid, tid, request);
        }
        return true;
    });
    sys::close(folder);
}

void thaw_others() {
    if (frozen_pid.exchange(0, std::memory_order_acq_rel) != 0) sys::futex_wake_all(&frozen_pid);
}

bool follow_freeze(int signal, const siginfo_t* info) {
    const std::uint32_t pid = own_pid();
    if (signal != request || info->si_code != SI_TKILL || info->si_pid != static_cast<pid_t>(pid) ||
        requested_pid.load(std::memory_order_acquire) != pid) {
        return false;
    }
    while (frozen_pid.load(std::memory_order_acquire) == pid)
        sys::futex_wait(&frozen_pid, pid, second);
    return true;
}

}  // namespace leftover::hand
