// What /proc says of a process. Any context.
#pragma once

#include <cstdint>
#include <string_view>

#include "preload/core/law.h"

namespace leftover::hand {

struct ProcessFacts {
    char name[64] = {};  // comm
    char state = 0;
    int ppid = 0;
    int threads = 0;
    std::uint64_t start_ticks = 0;
    std::uint64_t mapped_bytes = 0;
    std::uint64_t resident_bytes = 0;

    // A zombie has ended, unless only its first thread has; and so has what has no memory any more.
    bool is_alive() const {
        if (state == 'Z') return threads > 1;
        return state != 0 && state != 'X' && state != 'x' && mapped_bytes != 0;
    }
};

// False when there is no such process.
bool read_process(int pid, ProcessFacts& facts);

// Whether the process of that number that started then lives. One that exists but may not be looked
// at does.
bool is_alive(int pid, std::uint64_t start_ticks);

// The arguments, each with its NUL, cut at `size`; empty when they cannot be read.
std::string_view read_command_of(int pid, char* buffer, std::size_t size);
// The path of what it runs; empty when it cannot be read.
std::string_view read_executable_of(int pid, char* buffer, std::size_t size);

}  // namespace leftover::hand
