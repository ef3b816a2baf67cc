// A folder that looks like /proc, for processes that need not exist.
#pragma once

#include <filesystem>
#include <string>

#include "tests/support/temporary_folder.h"

namespace leftover::test {

struct FakeProcess {
    int pid = 0;
    std::uint64_t start_ticks = 0;
    std::string comm = "python3";
    char state = 'S';
    int ppid = 1;
    int threads = 1;
    std::string namespace_pids = {};  // as in status; empty: the pid
    std::string executable = "/usr/bin/python3.11";
    std::string command = std::string("python3\0worker.py\0", 18);
    std::string maps = {};
};

inline std::string stat_line(const FakeProcess& process) {
    return std::to_string(process.pid) + " (" + process.comm + ") " + process.state + " " +
           std::to_string(process.ppid) + " 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 " +
           std::to_string(process.threads) + " 0 " + std::to_string(process.start_ticks) +
           " 1000 3 18446744073709551615 0 0 0\n";
}

inline void add_process(const std::filesystem::path& proc, const FakeProcess& process) {
    const auto folder = proc / std::to_string(process.pid);
    const std::string pids =
        process.namespace_pids.empty() ? std::to_string(process.pid) : process.namespace_pids;
    write_file(folder / "stat", stat_line(process));
    write_file(folder / "status",
               "Name:\tx\nUid:\t1000\t1001\t1000\t1000\nNSpid:\t" + pids + "\nThreads:\t1\n");
    write_file(folder / "cmdline", process.command);
    write_file(folder / "maps", process.maps);
    std::filesystem::create_directories(folder / "fd");
    std::filesystem::create_symlink(process.executable, folder / "exe");
}

}  // namespace leftover::test
