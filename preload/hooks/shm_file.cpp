#include "preload/hooks/shm_file.h"

#include "preload/core/sys.h"

namespace leftover {

std::atomic<std::uint32_t> unmapped_files{0};

std::string_view shm_name(const char* path) {
    if (path == nullptr || __builtin_strncmp(path, shm_folder, shm_folder_size) != 0) return {};
    const char* name = path + shm_folder_size;
    if (*name == 0 || __builtin_strchr(name, '/') != nullptr) return {};
    return {name - 1, length(name) + 1};
}

const char* resolve_in_shm(int dirfd, const char* path, char (&buffer)[288]) {
    if (path == nullptr || *path == 0 || __builtin_strchr(path, '/') != nullptr) return path;
    char directory[16];
    long size;
    if (dirfd == AT_FDCWD) {
        size = sys::call(SYS_getcwd, directory, sizeof directory);
        if (size > 0) --size;  // counts the NUL
    } else {
        char link[40];
        Text text(link, sizeof link);
        text << "/proc/self/fd/";
        text.number(static_cast<std::uint64_t>(dirfd));
        size = sys::readlink(link, directory, sizeof directory);
    }
    if (size != static_cast<long>(shm_folder_size) - 1 || __builtin_memcmp(directory, shm_folder, shm_folder_size - 1) != 0) {
        return path;
    }
    Text text(buffer, sizeof buffer);
    text << shm_folder << path;
    return text.cut() ? path : buffer;
}

}  // namespace leftover
