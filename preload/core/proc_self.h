// What /proc and the start of the process say about ourselves. Any context; each costs some
// microseconds.
#pragma once

#include <cstddef>
#include <cstdint>

#include "preload/core/law.h"

namespace leftover {

// Reads a whole small file into the buffer, NUL-terminated; its size, or a negative errno.
long read_file(const char* path, char* buffer, std::size_t size);

// Field 22 of /proc/PID/stat (pid 0: self), in clock ticks since boot; 0 when it cannot be read.
// `state`, when given, gets field 3, `threads` field 20.
std::uint64_t read_start_ticks(int pid = 0, char* state = nullptr, std::uint64_t* threads = nullptr);

// The same of this process, read once.
std::uint64_t own_start_ticks();

// The child that this thread created last, of those that still are its children; 0 when that cannot be
// told (a kernel without CONFIG_PROC_CHILDREN).
int last_child();

// How many threads this process has now; 0 when that cannot be read.
std::uint64_t count_threads();

void read_boot_id(std::uint64_t id[2]);

// The arguments, each with its NUL, cut at `size`; how many bytes.
std::size_t read_command(char* buffer, std::size_t size);

// Whether this process is its session's first.
bool is_session_root(std::uint64_t own_ticks);

}  // namespace leftover
