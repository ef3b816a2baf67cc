#include "preload/hand/report_file.h"

#include <cerrno>

#include "preload/core/process.h"
#include "preload/core/sys.h"
#include "preload/core/text.h"
#include "preload/hand/report_path.h"

namespace leftover::hand {

namespace {

// One report at a time is written, under the lock of the one who ends.
char buffer[16384];
char temporary_path[path_size];

}  // namespace

ReportFile::ReportFile(long folder, char* path) : folder_(folder), path_(path) {
    if (*path == 0) return;
    open();
    if (fd_ != -ENOENT) return;
    make_folders(folder_, path_);
    open();
}

void ReportFile::open() {
    struct stat status;
    const long found = sys::call(SYS_newfstatat, folder_, path_, &status, 0);
    if (found == 0 && !S_ISREG(status.st_mode)) {
        // A terminal, a pipe, /dev/null: written to as it is, never replaced.
        constexpr int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
        fd_ = sys::call(SYS_openat, folder_, path_, flags, 0);
        return;
    }
    Text text(temporary_path, sizeof temporary_path);
    (text << path_ << '.').number(static_cast<std::uint64_t>(identity.pid)) << ".new";
    if (text.cut()) return;
    constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    fd_ = sys::call(SYS_openat, folder_, temporary_path, flags, 0666);
    if (fd_ == -EEXIST) {  // of one that was killed, and whose number we have now
        sys::call(SYS_unlinkat, folder_, temporary_path, 0);
        fd_ = sys::call(SYS_openat, folder_, temporary_path, flags, 0666);
    }
    temporary_ = fd_ >= 0;
}

void ReportFile::write(std::string_view text) {
    while (!text.empty()) {
        if (used_ == sizeof buffer) flush();
        const std::size_t room = sizeof buffer - used_;
        const std::size_t part = text.size() < room ? text.size() : room;
        copy_bytes(buffer + used_, text.data(), part);
        used_ += part;
        text.remove_prefix(part);
    }
}

void ReportFile::flush() {
    std::size_t done = 0;
    while (done < used_ && !failed_) {
        const long written = sys::write(fd_, buffer + done, used_ - done);
        if (written > 0) {
            done += static_cast<std::size_t>(written);
        } else if (written != -EINTR) {
            failed_ = true;  // a full disk, or a pipe that nobody empties: we wait for neither
        }
    }
    used_ = 0;
}

bool ReportFile::finish(bool complete) {
    if (fd_ < 0) return false;
    flush();
    sys::close(fd_);
    fd_ = -1;
    if (!temporary_) return complete && !failed_;
    if (complete && !failed_ &&
        sys::call(SYS_renameat2, folder_, temporary_path, folder_, path_, 0) == 0) {
        return true;
    }
    sys::call(SYS_unlinkat, folder_, temporary_path, 0);
    return false;
}

}  // namespace leftover::hand
