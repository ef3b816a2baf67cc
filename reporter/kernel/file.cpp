#include "reporter/kernel/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cstring>

namespace leftover::kernel {

namespace {

std::optional<FileFacts> facts_at(int folder, const char* name) {
    struct statx raw;
    std::memset(&raw, 0, sizeof raw);
    if (::statx(folder, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_BTIME,
                &raw) != 0) {
        return std::nullopt;
    }
    FileFacts facts;
    facts.has_birth = (raw.stx_mask & STATX_BTIME) != 0;
    const auto nanoseconds = [](const struct statx_timestamp& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; };
    facts.id.device = makedev(raw.stx_dev_major, raw.stx_dev_minor);
    facts.id.inode = raw.stx_ino;
    facts.uid = raw.stx_uid;
    facts.mode = raw.stx_mode;
    facts.links = raw.stx_nlink;
    facts.bytes = raw.stx_size;
    facts.changed = nanoseconds(raw.stx_ctime);
    facts.born = facts.has_birth ? nanoseconds(raw.stx_btime) : facts.changed;
    return facts;
}

}  // namespace

std::optional<FileFacts> file_facts(const std::string& path) {
    return facts_at(AT_FDCWD, path.c_str());
}

std::optional<FileId> file_at(const std::string& path) {
    struct stat facts{};
    if (::stat(path.c_str(), &facts) != 0) return std::nullopt;
    return FileId{facts.st_dev, facts.st_ino};
}

std::vector<NamedFile> list_folder(const std::filesystem::path& folder,
                                   const std::function<bool(std::string_view)>& wanted) {
    std::vector<NamedFile> files;
    DIR* stream = ::opendir(folder.c_str());
    if (stream == nullptr) return files;
    while (const dirent* entry = ::readdir(stream)) {
        const std::string_view name = entry->d_name;
        if (name == "." || name == ".." || !wanted(name)) continue;
        if (const auto facts = facts_at(::dirfd(stream), entry->d_name)) {
            files.push_back({std::string(name), *facts});
        }
    }
    ::closedir(stream);
    return files;
}

}  // namespace leftover::kernel
