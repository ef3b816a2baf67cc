// What a system call that a thread is blocked in waits for, as its arguments and the memory they point to
// tell.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reporter/hang/images.h"
#include "reporter/hang/registers.h"

namespace leftover::hang {

struct FdWait {
    int fd = -1;
    bool for_reading = false, for_writing = false;
};

struct Wait {
    enum class What {
        nothing,    // it runs
        child,      // `id`, or any when it is not positive; `fd` when it is a pidfd
        files,      // one of `files` to become ready; `call` says how
        futex,      // `address`
        time,       // `seconds`, if known
        file_lock,  // on fd, by flock; by fcntl if `is_record`
        semaphores, // System V, `id`
        messages,   // System V, `id`
        queue,      // POSIX, fd
        signal,
        open,       // `path`
        other,      // `call`
    };

    What what = What::nothing;
    std::string call;  // its name
    std::vector<FdWait> files;
    int fd = -1;
    std::int64_t id = 0;
    bool is_group = false;   // child: any of a process group
    bool is_record = false;
    bool is_epoll = false;   // fd is an epoll's, whose set is the kernel's
    bool has_timeout = false;
    std::optional<double> seconds;  // how long in all
    bool is_rest = false;           // of a sleep: how long it will take from now
    std::string path;

    // Of a futex: its address, the value that it waits for to change, shared between processes, and
    // whether the value is the kernel's own, with the holder in it.
    std::uint64_t address = 0;
    std::uint32_t value = 0;
    bool is_shared = false, is_inheriting = false;
};

// `memory` must be of now. The call may have been begun anew by the kernel, which then knows it by
// another number; `code` is what stands before the thread's next instruction.
Wait decode(const Call& call, Memory& memory, long number_in_code);

}  // namespace leftover::hang
