#include "reporter/kernel/machine.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <ctime>

#include "reporter/kernel/text.h"

namespace leftover::kernel {

namespace {

constexpr std::int64_t second = 1'000'000'000;

std::int64_t read_clock(clockid_t clock) {
    timespec time{};
    ::clock_gettime(clock, &time);
    return time.tv_sec * second + time.tv_nsec;
}

}  // namespace

std::string boot_id(const Roots& roots) {
    std::string text = read_text(roots.proc / "sys/kernel/random/boot_id");
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

std::int64_t now() { return read_clock(CLOCK_REALTIME); }

std::int64_t time_of_ticks(std::uint64_t ticks) {
    // Not the btime of /proc/stat: that is in whole seconds.
    static const std::int64_t per_second = ::sysconf(_SC_CLK_TCK);
    const std::int64_t boot = read_clock(CLOCK_REALTIME) - read_clock(CLOCK_BOOTTIME);
    const auto whole = static_cast<std::int64_t>(ticks) / per_second;
    const auto rest = static_cast<std::int64_t>(ticks) % per_second;
    return boot + whole * second + rest * second / per_second;
}

System system() {
    utsname names{};
    if (::uname(&names) != 0) return {};
    return {names.nodename, names.release, names.machine};
}

}  // namespace leftover::kernel
