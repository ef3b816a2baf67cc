// What /proc says about one process, and about all of them.
//
// Every reader here answers "nothing" for a process that is gone, became a zombie meanwhile or
// belongs to somebody else; none throws.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reporter/kernel/roots.h"

namespace leftover::kernel {

struct ProcessStat {
    int pid = 0;
    std::string comm;  // at most 15 bytes
    char state = '?';
    int ppid = 0;  // now; after an adoption not the creator
    int threads = 0;
    std::uint64_t start_ticks = 0;  // field 22: since boot, sysconf(_SC_CLK_TCK) a second
    std::uint64_t resident_bytes = 0;
};

// Parses the one line of /proc/PID/stat; a command name may hold blanks and parentheses.
std::optional<ProcessStat> parse_stat(std::string_view line);

std::optional<ProcessStat> read_stat(int pid, const Roots& roots = {});

// Runs, sleeps or is stopped. A process whose first thread has exited while others go on says `Z`
// too, but is alive.
bool is_alive(const ProcessStat& stat);

struct ProcessStatus {
    uid_t uid = 0;                   // real
    uid_t effective_uid = 0;
    std::vector<int> namespace_pids;  // from the namespace of this /proc down to its own
};

std::optional<ProcessStatus> read_status(int pid, const Roots& roots = {});

// The arguments; empty for kernel threads and zombies.
std::vector<std::string> read_command(int pid, const Roots& roots = {});

// The path of what it runs now, without the kernel's " (deleted)".
std::string read_executable(int pid, const Roots& roots = {});

// The base name of what runs: that of the executable, else comm.
std::string program_name(const ProcessStat& stat, const Roots& roots = {});

// The inode of its pid namespace, 0 when not known.
std::uint64_t read_pid_namespace(int pid, const Roots& roots = {});
std::uint64_t own_pid_namespace(const Roots& roots = {});

// Every process that this /proc shows, ascending.
std::vector<int> list_processes(const Roots& roots = {});

}  // namespace leftover::kernel
