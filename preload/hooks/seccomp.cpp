// The two ways into a sandbox, and the thread names that prctl changes besides.
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>

#include "preload/core/confinement.h"
#include "preload/core/hook.h"

namespace leftover {

namespace {

// `call` installs the filter, or, without one, the strict mode, which allows read, write and exit only.
template <class Call>
auto sandbox(bool strict, const sock_fprog* filter, Call call) {
    if (!options.active || shares_parent_memory() || (!strict && tolerates_us(filter))) return call();
    confine();
    const auto result = call();
    if (result < 0) {
        const int saved = errno;
        take_back_confinement();
        errno = saved;
    }
    return result;
}

}  // namespace

HOOK(int, prctl, int option, ...) {
    va_list rest;
    va_start(rest, option);
    const auto a = va_arg(rest, unsigned long);
    const auto b = va_arg(rest, unsigned long);
    const auto c = va_arg(rest, unsigned long);
    const auto d = va_arg(rest, unsigned long);
    va_end(rest);
    const bool is_ready = ready();
    if (option == PR_SET_SECCOMP) {
        return sandbox(a == SECCOMP_MODE_STRICT, reinterpret_cast<const sock_fprog*>(b),
                       [&] { return real_prctl(option, a, b, c, d); });
    }
    const int result = real_prctl(option, a, b, c, d);
    if (is_ready && option == PR_SET_NAME) thread_name_epoch.fetch_add(1, std::memory_order_relaxed);
    return result;
}

// Everything else is passed on by a jump, with no frame of ours: what is called may return twice. An
// argument that the caller left out is whatever is in its place, as for libc's own.
HOOK(long, syscall, long number, long a, long b, long c, long d, long e, long f) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    if (__builtin_expect(number != SYS_seccomp, 1)) return real_syscall(number, a, b, c, d, e, f);
    const bool installs = a == SECCOMP_SET_MODE_FILTER || a == SECCOMP_SET_MODE_STRICT;
    if (!installs) return real_syscall(number, a, b, c, d, e, f);
    ready();
    return sandbox(a == SECCOMP_SET_MODE_STRICT, reinterpret_cast<const sock_fprog*>(c),
                   [&] { return real_syscall(number, a, b, c, d, e, f); });
}

}  // namespace leftover
