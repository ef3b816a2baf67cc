// The registers of a stopped thread, and the system call that it was in.
#pragma once

#include <sys/types.h>
#include <sys/user.h>

#include <array>
#include <cstdint>

namespace leftover::hang {

// A system call that a thread is blocked in.
struct Call {
    long number = -1;  // -1: none, the thread runs
    std::array<std::uint64_t, 6> arguments{};
};

struct Registers {
    user_regs_struct raw{};
    std::uint64_t thread_pointer = 0;

    std::uint64_t pc() const;
    std::uint64_t sp() const;
    // By libunwind's number. False for one that is not kept here.
    bool get(int number, std::uint64_t& value) const;
    // The call that being stopped has interrupted, by these registers alone; -1 where they do not tell.
    Call call() const;
};

// Of a thread that this one traces and that is stopped.
bool read_registers(pid_t tid, Registers& registers);

// What /proc/PID/task/TID/syscall says. Nothing has to be stopped for it.
Call read_call(pid_t pid, pid_t tid);

// The number that stands right in front of an instruction that calls the kernel: `code` is what lies
// before it and itself. -1: not known.
long number_in_code(const std::array<unsigned char, 12>& code);

}  // namespace leftover::hang
