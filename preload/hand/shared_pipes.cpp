#include "preload/hand/shared_pipes.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "preload/core/process.h"
#include "preload/core/sys.h"
#include "preload/core/text.h"
#include "preload/hand/folder.h"

// The head of the C library's list of open streams, a FILE within a larger structure.
extern "C" FILE* _IO_list_all;

namespace leftover::hand {

namespace {

constexpr int last_standard = 2;

std::uint64_t key_of(const struct stat& status) { return mix(status.st_dev, status.st_ino); }

// Other threads may be closing the stream: memory that is gone is an error here, not a fault.
bool read_own_memory(const void* from, void* to, std::size_t size) {
    const struct iovec local = {to, size};
    const struct iovec remote = {const_cast<void*>(from), size};
    return sys::call(SYS_process_vm_readv, identity.pid, &local, 1, &remote, 1, 0) ==
           static_cast<long>(size);
}

// Whether the C library may hold output for the descriptor.
bool has_output(int fd) {
    constexpr int most_streams = 4096;
    FILE stream;
    const FILE* at = nullptr;
    if (!read_own_memory(&_IO_list_all, &at, sizeof at)) return true;
    for (int count = 0; at != nullptr; at = stream._chain) {
        if (++count > most_streams || !read_own_memory(at, &stream, sizeof stream)) return true;
        if (stream._fileno != fd) continue;
        // What a wide stream holds lies elsewhere.
        if (stream._mode > 0 || stream._IO_write_ptr > stream._IO_write_base) return true;
    }
    return false;
}

template <class Visit>
void each_descriptor(int pid, Visit visit) {
    char path[48];
    Text text(path, sizeof path);
    (text << "/proc/").number(static_cast<std::uint64_t>(pid)) << "/fd";
    const long folder = sys::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (sys::failed(folder)) return;
    each_name(folder, [&](const char* name) {
        std::string_view digits(name);
        std::uint64_t fd = 0;
        if (take_number(digits, fd)) visit(folder, name, static_cast<int>(fd));
        return true;
    });
    sys::close(folder);
}

}  // namespace

void SharedPipes::add_reader(int pid) {
    each_descriptor(pid, [&](long folder, const char* name, int) {
        struct stat link;
        struct stat target;
        // The link's mode says how it was opened.
        if (sys::call(SYS_newfstatat, folder, name, &link, AT_SYMLINK_NOFOLLOW) != 0 ||
            (link.st_mode & S_IRUSR) == 0 ||
            sys::call(SYS_newfstatat, folder, name, &target, 0) != 0 || !S_ISFIFO(target.st_mode)) {
            return;
        }
        bool is_new = false;
        pipes_.enter(pool_, key_of(target), 1, is_new);
    });
}

void SharedPipes::let_go() const {
    long null = -1;
    each_descriptor(identity.pid, [&](long, const char*, int fd) {
        struct stat status;
        if (fd <= last_standard || sys::fstat(fd, &status) != 0 || !S_ISFIFO(status.st_mode) ||
            pipes_.find(key_of(status)) == nullptr) {
            return;
        }
        const long flags = sys::call(SYS_fcntl, fd, F_GETFL);
        if (sys::failed(flags) || (flags & O_ACCMODE) != O_WRONLY || has_output(fd)) return;
        if (null < 0) null = sys::open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (null >= 0) sys::call(SYS_dup3, null, fd, O_CLOEXEC);
    });
    if (null >= 0) sys::close(null);
}

}  // namespace leftover::hand
