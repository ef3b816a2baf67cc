// Where the kernel's facts are looked up. The defaults are this machine; tests point them at a
// folder of their own.
#pragma once

#include <filesystem>

namespace leftover::kernel {

struct Roots {
    std::filesystem::path proc = "/proc";
    std::filesystem::path shm = "/dev/shm";
    std::filesystem::path mqueue = "/dev/mqueue";
};

// Whether system calls that take no path (mq_open) speak of the same place as `roots`.
inline bool is_this_machine(const Roots& roots) { return roots.mqueue == "/dev/mqueue"; }

}  // namespace leftover::kernel
