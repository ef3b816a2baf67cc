#include "preload/hooks/paths.h"

#include <fcntl.h>

#include "preload/core/sys.h"
#include "preload/core/text.h"

namespace leftover {

FullPath::FullPath(int dirfd, const char* path) {
    const std::size_t size = sys::readable_length(path);
    if (size == sys::unreadable || size == 0) return;
    if (path[0] == '/') {
        view_ = {path, size};
    } else {
        add_folder(dirfd, path);
    }
}

void FullPath::add_folder(int dirfd, const char* path) {
    long size;
    if (dirfd == AT_FDCWD) {
        size = sys::call(SYS_getcwd, buffer_, sizeof buffer_) - 1;  // counts the NUL
    } else {
        char link[40];
        Text text(link, sizeof link);
        text << "/proc/self/fd/";
        text.number(static_cast<std::uint32_t>(dirfd));
        size = sys::readlink(link, buffer_, sizeof buffer_);
    }
    if (size <= 0 || buffer_[0] != '/') return;
    while (path[0] == '.' && path[1] == '/') {
        while (*++path == '/') {
        }
    }
    auto used = static_cast<std::size_t>(size);
    if (used == 1) used = 0;  // the root
    const std::size_t more = length(path);
    if (used + 1 + more >= sizeof buffer_) return;
    buffer_[used] = '/';
    copy_bytes(buffer_ + used + 1, path, more + 1);
    view_ = {buffer_, used + 1 + more};
}

}  // namespace leftover
