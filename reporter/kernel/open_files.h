// Which process has what open: pipes and their ends, sockets; and who holds which file lock.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "reporter/kernel/file.h"
#include "reporter/kernel/roots.h"

namespace leftover::kernel {

struct Holder {
    int pid = 0;
    bool reads = false, writes = false;
};

class OpenFiles {
public:
    // Looks at every process that may be looked into.
    explicit OpenFiles(const Roots& roots = {});

    // A process once, whatever number of descriptors it has; ascending.
    const std::vector<Holder>& holders_of(const FileId& pipe_or_socket) const;

    // How many processes could not be looked into, being somebody else's.
    int unseen() const { return unseen_; }

private:
    std::unordered_map<FileId, std::vector<Holder>, FileIdHash> holders_;
    int unseen_ = 0;
};

struct FileLock {
    std::uint64_t id = 0;     // what waits for it has the same
    bool is_waiting = false;  // for the holder's end
    std::string kind;         // FLOCK, POSIX, OFDLCK
    int pid = 0;              // -1: of no single process
    std::uint64_t inode = 0;
    unsigned major = 0, minor = 0;
};

// Of /proc/locks.
std::vector<FileLock> file_locks(const Roots& roots = {});

// The processes that have a file open under a lock of the open file's own (F_OFD_SETLK), which /proc/locks
// tells of no process: by /proc/PID/fdinfo, of those that may be looked into.
std::vector<int> holders_of_open_file_locks(const struct stat& file, const Roots& roots = {});

}  // namespace leftover::kernel
