#include "reporter/clean/held_name.h"

#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

namespace leftover::clean {

using run::Descriptor;

HeldName::HeldName(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return;
    name_ = path.substr(slash + 1);
    const std::string folder = slash == 0 ? "/" : path.substr(0, slash);
    if (name_.empty() || name_ == "." || name_ == "..") return;
    folder_ = Descriptor(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

bool HeldName::is(const kernel::FileId& id) const {
    struct stat facts{};
    return ::fstatat(folder_.get(), name_.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0 &&
           kernel::FileId{facts.st_dev, facts.st_ino} == id;
}

Descriptor HeldName::open(int more_flags) const {
    constexpr int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    return Descriptor(::openat(folder_.get(), name_.c_str(), flags | more_flags));
}

int HeldName::unlink(int flags) const {
    return ::unlinkat(folder_.get(), name_.c_str(), flags) == 0 ? 0 : errno;
}

void HeldName::lock_folder() {
    constexpr timespec pause{0, 1'000'000};
    static int attempts = 2000;  // for all folders together: some seconds
    lock_ = Descriptor(::openat(folder_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!lock_.is_open()) return;
    while (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK && attempts > 0) {
        --attempts;
        ::nanosleep(&pause, nullptr);
    }
}

}  // namespace leftover::clean
