#include "reporter/records/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>

namespace leftover::records {

File::File(const std::filesystem::path& path) {
    // Without O_NONBLOCK a FIFO of that name would keep us for ever.
    fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd_ < 0) throw std::runtime_error(path.string() + ": " + std::strerror(errno));
    struct stat facts{};
    if (::fstat(fd_, &facts) != 0 || !S_ISREG(facts.st_mode)) {
        ::close(fd_);
        throw std::runtime_error(path.string() + ": not a regular file");
    }
    owner_ = facts.st_uid;
}

File::~File() { ::close(fd_); }

std::uint64_t File::size() const {
    struct stat facts{};
    return ::fstat(fd_, &facts) == 0 ? static_cast<std::uint64_t>(facts.st_size) : 0;
}

std::size_t File::read(std::uint64_t offset, void* to, std::size_t size) const {
    std::size_t done = 0;
    while (done < size) {
        if (offset + done > static_cast<std::uint64_t>(std::numeric_limits<off_t>::max())) break;
        const ssize_t got = ::pread(fd_, static_cast<char*>(to) + done, size - done,
                                    static_cast<off_t>(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        done += static_cast<std::size_t>(got);
    }
    // The writer publishes with release stores; what the kernel copied for us keeps their order
    // between two calls.
    std::atomic_thread_fence(std::memory_order_acquire);
    return done;
}

}  // namespace leftover::records
