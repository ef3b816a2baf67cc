#include "reporter/run/preflight.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string>

#include <fmt/format.h>

#include "reporter/kernel/text.h"

namespace leftover::run {
namespace {

int access_error(const std::string& path, int mode) {
    return ::faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0 ? 0 : errno;
}

// errno, or 0.
int write_error(const std::string& file) {
    struct stat status{};
    const bool exists = ::stat(file.c_str(), &status) == 0;
    if (!exists && errno != ENOENT) return errno;
    if (exists && S_ISDIR(status.st_mode)) return EISDIR;
    if (exists) {
        if (const int error = access_error(file, W_OK); error != 0) return error;
        if (!S_ISREG(status.st_mode)) return 0;
    }
    const std::string folder = std::filesystem::path(file).parent_path().string();
    return access_error(folder.empty() ? "." : folder, W_OK | X_OK);
}

}  // namespace

void check_proc() {
    const std::string self = kernel::read_link("/proc/self");
    if (self.empty()) {
        throw std::runtime_error("/proc is not mounted here: nothing can be seen without it");
    }
    if (self != std::to_string(::getpid())) {
        throw std::runtime_error(
            "/proc shows another pid namespace than this one; mount it anew (unshare --mount-proc)");
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
