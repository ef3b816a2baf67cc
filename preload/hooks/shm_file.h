// Files made directly in /dev/shm: shared memory by another name, once they are mapped shared (or made by
// mkstemp or CPython's tempfile).
#pragma once

#include "preload/hooks/named.h"

namespace leftover {

inline constexpr char shm_folder[] = "/dev/shm/";
inline constexpr std::size_t shm_folder_size = sizeof shm_folder - 1;

// Files that count only once they are mapped: while there are none, mmap has nothing to look for.
extern std::atomic<std::uint32_t> unmapped_files;

// "/name" when the path lies directly in /dev/shm, else empty.
std::string_view shm_name(std::string_view path);

}  // namespace leftover
