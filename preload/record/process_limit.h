// The table of a session with a limit on its processes (`leftover run --max-processes`): a file of its
// folder, mapped shared by the launcher and by every process with the shim. One word for each process
// that may live, so that a place is taken by one compare-and-swap and nobody waits for anybody.
//
// A word outlives whoever wrote it, so it is never believed when it matters: it names a process by pid
// and start time, and before a call is refused all words are checked against the kernel.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace leftover::record {

inline constexpr char process_limit_name[] = "processes.limit";
inline constexpr std::uint64_t process_limit_magic = 0x31746d6c'6c66656cULL;  // "lefllmt1"
inline constexpr std::uint32_t most_processes = 1U << 20;

using ProcessPlace = std::atomic<std::uint64_t>;

struct ProcessLimit {
    std::uint64_t magic;
    std::uint64_t pid_namespace;  // inode; the pids are numbers of it
    std::uint32_t most;           // how many places there are
    std::atomic<std::uint32_t> hint;  // where the next free one may be
    ProcessPlace* places() { return reinterpret_cast<ProcessPlace*>(this + 1); }
};
static_assert(sizeof(ProcessLimit) == 24);

constexpr std::size_t process_limit_size(std::uint32_t most) {
    return sizeof(ProcessLimit) + std::size_t{most} * sizeof(ProcessPlace);
}

// A word: 0 free; else who: a process that lives, or one that is just making a child.
inline constexpr std::uint64_t making_a_child = 1ULL << 63;
constexpr std::uint64_t place_of(std::uint32_t pid, std::uint64_t start_ticks) {
    return (std::uint64_t{pid} & 0x7fffffU) << 40 | (start_ticks & 0xff'ffff'ffffULL);
}
constexpr std::uint32_t place_pid(std::uint64_t word) {
    return static_cast<std::uint32_t>(word >> 40) & 0x7fffffU;
}
constexpr std::uint64_t place_ticks(std::uint64_t word) { return word & 0xff'ffff'ffffULL; }

}  // namespace leftover::record
