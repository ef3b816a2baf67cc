// A record as a file. It is read by pread and never mapped: a file that shrinks under a mapping
// would kill the reader with SIGBUS, and touching the holes of a mapping on tmpfs allocates them.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace leftover::records {

class File {
public:
    // Throws std::runtime_error when it cannot be opened or is no regular file.
    explicit File(const std::filesystem::path& path);
    ~File();
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    // Now: one whose process is at work may grow. To be asked after what says how large it has to be was read.
    std::uint64_t size() const;
    uid_t owner() const { return owner_; }

    // Reads up to `size` bytes and returns how many there were: fewer at the end of the file or when
    // the disk fails. What an earlier call read was read before what this call reads.
    std::size_t read(std::uint64_t offset, void* to, std::size_t size) const;

private:
    int fd_ = -1;
    uid_t owner_ = 0;
};

}  // namespace leftover::records
