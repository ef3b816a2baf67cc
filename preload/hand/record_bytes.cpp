#include "preload/hand/record_bytes.h"

#include <cerrno>

#include "preload/core/sys.h"
#include "preload/core/text.h"

namespace leftover::hand {

bool RecordBytes::open(long folder, const char* name) {
    close();
    // Without O_NONBLOCK a FIFO of that name would keep us for ever.
    constexpr int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    const long fd = sys::call(SYS_openat, folder, name, flags, 0);
    if (sys::failed(fd)) return false;
    fd_ = fd;
    struct stat status;
    if (sys::fstat(static_cast<int>(fd), &status) != 0 || !S_ISREG(status.st_mode)) {
        close();
        return false;
    }
    size_ = static_cast<std::uint64_t>(status.st_size);
    owner_ = status.st_uid;
    return true;
}

void RecordBytes::use(const Mapping& mapping) {
    close();
    mapping_ = &mapping;
    owner_ = static_cast<std::uint32_t>(sys::call(SYS_geteuid));
    const std::uint32_t chunks = mapping.chunk_count.load(std::memory_order_acquire);
    size_ = record::header_size;
    if (chunks == 0) return;
    const record::ChunkEntry& last = mapping.header->chunks[chunks - 1];
    size_ = last.offset + last.size;
}

void RecordBytes::close() {
    if (fd_ >= 0) sys::close(fd_);
    fd_ = -1;
    mapping_ = nullptr;
    size_ = 0;
}

std::size_t RecordBytes::read(std::uint64_t offset, void* to, std::size_t size) const {
    if (mapping_ != nullptr) {
        // What is read lies in one chunk, or in the header.
        const auto part = [&](const char* base, std::uint64_t begin, std::uint64_t bytes) {
            const std::uint64_t left = bytes - (offset - begin);
            const std::size_t taken = size < left ? size : left;
            copy_bytes(to, base + (offset - begin), taken);
            return taken;
        };
        if (offset < record::header_size) {
            return part(reinterpret_cast<const char*>(mapping_->header), 0, record::header_size);
        }
        const std::uint32_t chunks = mapping_->chunk_count.load(std::memory_order_acquire);
        for (std::uint32_t i = 0; i < chunks; ++i) {
            const std::uint64_t begin = mapping_->header->chunks[i].offset;
            if (offset < begin || offset - begin >= mapping_->size(i)) continue;
            return part(mapping_->bases[i], begin, mapping_->size(i));
        }
        return 0;
    }
    std::size_t done = 0;
    while (done < size && offset + done <= INT64_MAX) {
        const long got = sys::pread(fd_, static_cast<char*>(to) + done, size - done, offset + done);
        if (got == -EINTR) continue;
        if (got <= 0) break;
        done += static_cast<std::size_t>(got);
    }
    // The writer publishes with release stores; what the kernel copied keeps their order between
    // two reads.
    std::atomic_thread_fence(std::memory_order_acquire);
    return done;
}

}  // namespace leftover::hand
