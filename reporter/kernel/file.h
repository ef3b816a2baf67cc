// Facts about names in a file system: /dev/shm, /dev/mqueue, temporary files, sockets.
#pragma once

#include <sys/types.h>

#include <compare>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leftover::kernel {

// What tells one file from every other on this machine, as long as it exists.
struct FileId {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    auto operator<=>(const FileId&) const = default;
};

struct FileIdHash {
    std::size_t operator()(const FileId& id) const {
        return std::hash<std::uint64_t>{}(id.inode * 0x9e3779b97f4a7c15ULL ^ id.device);
    }
};

struct FileFacts {
    FileId id;
    uid_t uid = 0;
    mode_t mode = 0;
    std::uint32_t links = 0;
    std::uint64_t bytes = 0;
    // CLOCK_REALTIME ns, from the kernel's coarse clock, which lags by up to a tick (10 ms). Where
    // the file system keeps no birth time this is the last change of the inode, which came later.
    std::int64_t born = 0;
    std::int64_t changed = 0;  // the inode, the last time; by the same clock
    bool has_birth = false;
};

// lstat: of the link itself, not of where it points. Nothing when the name does not resolve.
std::optional<FileFacts> file_facts(const std::string& path);

// Where a path leads to, links followed. Nothing when it does not resolve.
std::optional<FileId> file_at(const std::string& path);

struct NamedFile {
    std::string name;  // without the folder
    FileFacts facts;
};

// The files of one folder whose names `wanted` accepts; only these are looked at. Empty when the
// folder cannot be read.
std::vector<NamedFile> list_folder(const std::filesystem::path& folder,
                                   const std::function<bool(std::string_view)>& wanted);

}  // namespace leftover::kernel
