#include "reporter/run/preflight.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "reporter/kernel/text.h"
#include "reporter/run/descriptor.h"

namespace leftover::run {
namespace {

// errno, or 0.
int write_error(const std::string& file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) == 0) {
        if (S_ISDIR(status.st_mode)) return EISDIR;
        return ::faccessat(AT_FDCWD, file.c_str(), W_OK, AT_EACCESS) == 0 ? 0 : errno;
    }
    if (errno != ENOENT) return errno;
    // Only making a file tells whether one can be made: root may do anything, but not in /proc.
    const auto folder = std::filesystem::path(file).parent_path();
    const std::string trial = (folder / fmt::format(".leftover.{}.tmp", ::getpid())).string();
    const Descriptor made(::open(trial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!made.is_open()) return errno;
    ::unlink(trial.c_str());
    return 0;
}

}  // namespace

void check_proc() {
    const std::string self = kernel::read_link("/proc/self");
    if (self.empty()) {
        throw std::runtime_error("/proc is not mounted here: nothing can be seen without it");
    }
    if (self != std::to_string(::getpid())) {
        throw std::runtime_error(
            "/proc shows another pid namespace than this one; mount it anew (unshare "
            "--mount-proc)");
    }
}

void check_outputs(const std::vector<render::Output>& outputs) {
    for (const render::Output& output : outputs) {
        if (output.file == "-") continue;
        if (const int error = write_error(output.file); error != 0) {
            throw std::runtime_error(
                fmt::format("cannot write '{}': {}", output.file, std::strerror(error)));
        }
    }
}

}  // namespace leftover::run
