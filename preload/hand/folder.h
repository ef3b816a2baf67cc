// The names in a folder. Any context.
#pragma once

#include "preload/core/law.h"
#include "preload/core/sys.h"

namespace leftover::hand {

// As the kernel's linux_dirent64.
struct DirectoryEntry {
    std::uint64_t inode;
    std::int64_t offset;
    std::uint16_t size;
    std::uint8_t type;
    char name[];
};

// Calls `visit(name)` for each but `.` and `..`, as long as it returns true.
template <class Visit>
void each_name(long fd, Visit visit) {
    alignas(DirectoryEntry) char buffer[2048];
    for (;;) {
        const long got = sys::call(SYS_getdents64, fd, buffer, sizeof buffer);
        if (got <= 0) return;
        for (long at = 0; at < got;) {
            const auto* entry = reinterpret_cast<const DirectoryEntry*>(buffer + at);
            at += entry->size;
            const char* name = entry->name;
            if (name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0))) continue;
            if (!visit(name)) return;
        }
    }
}

}  // namespace leftover::hand
