#include "reporter/run/program_path.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace leftover::run {
namespace {

// 0, or why it cannot be executed. What else may be in the way, exec itself will tell.
int execution_error(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return errno;
    if (!S_ISREG(status.st_mode)) return EACCES;
    return ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

}  // namespace

ProgramPath find_program(const std::string& name, const char* search) {
    if (name.empty()) return {name, ENOENT};
    if (name.find('/') != std::string::npos) return {name, execution_error(name)};

    int error = ENOENT;
    for (std::string_view rest = search != nullptr ? search : "/bin:/usr/bin";;) {
        const auto end = rest.find(':');
        std::string path(rest.substr(0, end));
        if (!path.empty()) path += '/';  // an empty entry is the working directory
        path += name;
        switch (execution_error(path)) {
            case 0:
                return {path.find('/') == std::string::npos ? "./" + path : path, 0};
            case EACCES:
                error = EACCES;
                break;
            default:
                break;
        }
        if (end == std::string_view::npos) return {name, error};
        rest.remove_prefix(end + 1);
    }
}

}  // namespace leftover::run
