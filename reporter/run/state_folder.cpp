#include "reporter/run/state_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "reporter/kernel/text.h"
#include "reporter/run/descriptor.h"

namespace leftover::run {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& path, const std::string& reason) {
    throw std::runtime_error(fmt::format("state folder '{}' {}", path, reason));
}

// Without the slashes at its end, behind which open() would follow a symbolic link.
std::string without_slashes(std::string path) {
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    return path;
}

// A runtime folder that is not there, or was inherited from another user (sudo, su), is none.
bool is_usable_runtime(const StatePlace& place) {
    struct stat status {};
    return place.runtime_dir.starts_with('/') && ::stat(place.runtime_dir.c_str(), &status) == 0 &&
           S_ISDIR(status.st_mode) && status.st_uid == place.user;
}

std::string fallback(const StatePlace& place) {
    return fmt::format("/tmp/leftover-{}", place.user);
}

std::string wanted_folder(const StatePlace& place) {
    if (!place.state_dir.empty()) return without_slashes(place.state_dir);
    if (is_usable_runtime(place)) return without_slashes(place.runtime_dir) + "/leftover";
    return fallback(place);
}

void make(const std::string& path) {
    if (::mkdir(path.c_str(), 0700) == 0) {
        // The umask may have taken some of the owner's own rights.
        if (::chmod(path.c_str(), 0700) != 0) refuse(path, std::strerror(errno));
        return;
    }
    if (errno != EEXIST) refuse(path, fmt::format("cannot be made: {}", std::strerror(errno)));
}

void check(const std::string& path, uid_t user) {
    const Descriptor folder(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat status {};
    if (!folder.is_open() || ::fstat(folder.get(), &status) != 0) {
        refuse(path, fmt::format("cannot be opened: {}", std::strerror(errno)));
    }
    if (S_ISLNK(status.st_mode)) refuse(path, "is a symbolic link");
    if (!S_ISDIR(status.st_mode)) refuse(path, "is not a folder");
    if (status.st_uid != user) {
        refuse(path, fmt::format("belongs to user {}, not to user {}", status.st_uid, user));
    }
    const unsigned mode = status.st_mode & 07777U;
    if ((mode & 077U) != 0) {
        refuse(path, fmt::format("is open to other users (mode {:04o}, not 0700)", mode));
    }
    if ((mode & 0700U) != 0700U) {
        refuse(path, fmt::format("is closed to its owner (mode {:04o}, not 0700)", mode));
    }
}

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

std::string made_state_folder(const std::string& path, const StatePlace& place) {
    const fs::path parent = fs::path(path).parent_path();
    std::error_code error;
    if (!parent.empty()) fs::create_directories(parent, error);  // make() tells if it failed
    make(path);
    check(path, place.user);
    const fs::path real = fs::canonical(path, error);
    if (error) refuse(path, fmt::format("cannot be resolved: {}", error.message()));
    return real.string();
}

}  // namespace

StatePlace StatePlace::of_this_process() {
    return {variable("LEFTOVER_STATE_DIR"), variable("XDG_RUNTIME_DIR"), ::geteuid()};
}

std::string state_folder(const StatePlace& place) {
    return made_state_folder(wanted_folder(place), place);
}

std::string lasting_state_folder(const StatePlace& place) {
    return made_state_folder(fallback(place), place);
}

std::vector<std::string> state_folders(const StatePlace& place) {
    std::vector<std::string> folders;
    if (!place.state_dir.empty()) folders.push_back(without_slashes(place.state_dir));
    if (is_usable_runtime(place)) {
        folders.push_back(without_slashes(place.runtime_dir) + "/leftover");
    }
    folders.push_back(fallback(place));
    return folders;
}

std::vector<std::string> usable_state_folders(std::vector<std::string>& refused,
                                              const StatePlace& place) {
    std::vector<std::string> usable;
    for (const std::string& path : state_folders(place)) {
        struct stat status {};
        if (::lstat(path.c_str(), &status) != 0) continue;
        try {
            check(path, place.user);
            const std::string real = fs::canonical(path).string();
            if (std::find(usable.begin(), usable.end(), real) == usable.end()) {
                usable.push_back(real);
            }
        } catch (const std::runtime_error& error) {
            refused.emplace_back(error.what());
        }
    }
    return usable;
}

std::vector<StatePlace> places_of_all_users() {
    std::vector<StatePlace> places = {StatePlace::of_this_process()};
    const auto add_users_in = [&places](const char* folder, std::string_view prefix) {
        std::error_code error;
        for (fs::directory_iterator each(folder, error), end; !error && each != end;
             each.increment(error)) {
            const std::string name = each->path().filename().string();
            if (!name.starts_with(prefix)) continue;
            const auto user = kernel::parse_number<uid_t>(std::string_view(name).substr(prefix.size()));
            if (!user || *user == places.front().user) continue;
            places.push_back({"", fmt::format("/run/user/{}", *user), *user});
        }
    };
    add_users_in("/tmp", "leftover-");
    add_users_in("/run/user", "");
    return places;
}

}  // namespace leftover::run
