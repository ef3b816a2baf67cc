#include "preload/core/proc_self.h"

#include "preload/core/process.h"
#include "preload/core/sys.h"
#include "preload/core/text.h"

namespace leftover {

long read_file(const char* path, char* buffer, std::size_t size) {
    buffer[0] = 0;
    const long fd = sys::open(path, O_RDONLY | O_CLOEXEC);
    if (sys::failed(fd)) return fd;
    std::size_t used = 0;
    long got = 0;
    while (used < size - 1 && (got = sys::read(fd, buffer + used, size - 1 - used)) > 0) {
        used += static_cast<std::size_t>(got);
    }
    sys::close(fd);
    buffer[used] = 0;
    return got < 0 ? got : static_cast<long>(used);
}

namespace {

// A numeric field of /proc/PID/stat, counted from 1.
constexpr int threads_field = 20;

std::uint64_t read_stat_field(int wanted, int pid, char* state, std::uint64_t* threads = nullptr) {
    char path[48];
    Text text(path, sizeof path);
    if (pid == 0) {
        text << "/proc/self/stat";
    } else {
        text << "/proc/";
        text.number(static_cast<std::uint64_t>(pid)) << "/stat";
    }
    char buffer[1024];
    const long size = read_file(path, buffer, sizeof buffer);
    if (size <= 0) return 0;
    // The name in field 2 may hold anything, parentheses included: the fields go on behind the last one.
    std::string_view rest(buffer, static_cast<std::size_t>(size));
    const std::size_t name_end = rest.rfind(')');
    if (name_end == std::string_view::npos || name_end + 2 >= rest.size()) return 0;
    rest.remove_prefix(name_end + 2);
    if (state != nullptr) *state = rest[0];
    for (int field = 3; field < wanted; ++field) {
        const std::size_t space = rest.find(' ');
        if (space == std::string_view::npos) return 0;
        rest.remove_prefix(space + 1);
        std::string_view here = rest;
        if (threads != nullptr && field + 1 == threads_field) take_number(here, *threads);
    }
    std::uint64_t value = 0;
    take_number(rest, value);
    return value;
}

}  // namespace

std::uint64_t read_start_ticks(int pid, char* state, std::uint64_t* threads) {
    return read_stat_field(22, pid, state, threads);
}

std::uint64_t own_start_ticks() {
    if (identity.ticks == 0) identity.ticks = read_start_ticks();
    return identity.ticks;
}

std::uint64_t count_threads() { return read_stat_field(threads_field, 0, nullptr); }

int last_child() {
    char text[4096];
    const long size = read_file("/proc/thread-self/children", text, sizeof text);
    // A list that does not fit has its end elsewhere.
    if (size <= 0 || static_cast<std::size_t>(size) == sizeof text - 1) return 0;
    std::string_view list(text, static_cast<std::size_t>(size));
    while (!list.empty() && list.back() == ' ') list.remove_suffix(1);
    list.remove_prefix(list.rfind(' ') + 1);
    std::uint64_t pid = 0;
    return take_number(list, pid) ? static_cast<int>(pid) : 0;
}

void read_boot_id(std::uint64_t id[2]) {
    char text[64];
    read_file("/proc/sys/kernel/random/boot_id", text, sizeof text);
    unsigned digits = 0;
    id[0] = id[1] = 0;
    for (const char* c = text; *c != 0 && digits < 32; ++c) {
        std::string_view one(c, 1);
        std::uint64_t value = 0;
        if (!take_number(one, value, 16)) continue;
        id[digits / 16] = id[digits / 16] << 4 | value;
        ++digits;
    }
}

std::size_t read_command(char* buffer, std::size_t size) {
    const long got = read_file("/proc/self/cmdline", buffer, size);
    return got < 0 ? 0 : static_cast<std::size_t>(got);
}

bool is_session_root(std::uint64_t own_ticks) {
    if (options.by_hand) return identity.pid == options.root_pid && own_ticks == options.root_ticks;
    return options.launcher != 0 && identity.ppid == options.launcher;
}

}  // namespace leftover
