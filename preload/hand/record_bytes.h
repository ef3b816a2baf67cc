// The bytes of a record: of a file, or of our own mapping, which may have no file.
//
// A file is read by pread and never mapped: one that shrinks under a mapping would kill us with
// SIGBUS, and touching the holes of a mapping on tmpfs allocates them. Any context; what cannot be
// read is absent, nothing is trusted.
#pragma once

#include <cstddef>
#include <cstdint>

#include "preload/core/law.h"
#include "preload/core/mapping.h"

namespace leftover::hand {

class RecordBytes {
public:
    RecordBytes() = default;
    RecordBytes(const RecordBytes&) = delete;
    RecordBytes& operator=(const RecordBytes&) = delete;
    ~RecordBytes() { close(); }

    // `name` within the open folder; only regular files.
    bool open(long folder, const char* name);
    void use(const Mapping& mapping);
    void close();

    // How many of the bytes at that offset there are.
    std::size_t read(std::uint64_t offset, void* to, std::size_t size) const;
    bool read_all(std::uint64_t offset, void* to, std::size_t size) const {
        return read(offset, to, size) == size;
    }
    std::uint64_t size() const { return size_; }
    std::uint32_t owner() const { return owner_; }

private:
    long fd_ = -1;
    const Mapping* mapping_ = nullptr;
    std::uint64_t size_ = 0;
    std::uint32_t owner_ = 0;
};

}  // namespace leftover::hand
