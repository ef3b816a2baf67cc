#include "preload/hooks/shm_file.h"

namespace leftover {

std::atomic<std::uint32_t> unmapped_files{0};

std::string_view shm_name(std::string_view path) {
    constexpr std::string_view folder{shm_folder, shm_folder_size};
    if (!path.starts_with(folder)) return {};
    const std::string_view name = behind(path, folder.size() - 1);
    if (name.size() == 1 || name.rfind('/') != 0) return {};
    return name;
}

}  // namespace leftover
