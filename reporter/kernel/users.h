// Who uses a file: descriptors and mappings of processes, from /proc/PID/fd and /proc/PID/maps.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "reporter/kernel/file.h"
#include "reporter/kernel/roots.h"

namespace leftover::kernel {

struct UsedFiles {
    std::unordered_set<FileId, FileIdHash> files;      // open or mapped
    std::unordered_set<std::int64_t> sysv_shared_memory;  // ids of attached segments

    bool uses(const FileId& id) const { return files.contains(id); }
};

// Adds what the text of one /proc/PID/maps names.
void add_mappings(std::string_view maps, UsedFiles& used);

// What these processes have open or mapped. Processes that may not be looked into count as using
// nothing.
UsedFiles used_files(const std::vector<int>& pids, const Roots& roots = {});

// Who uses what: of several users the first one.
struct FileUsers {
    std::unordered_map<FileId, int, FileIdHash> files;  // open, mapped, executed, or a working folder
    std::unordered_map<std::int64_t, int> sysv_shared_memory;
    // Processes of this user that may not be looked into all the same, such as those that cannot be dumped.
    std::vector<int> unreadable;
};

FileUsers file_users(const std::vector<int>& pids, const Roots& roots = {});

}  // namespace leftover::kernel
