#include "reporter/kernel/users.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "reporter/kernel/process.h"
#include "reporter/kernel/text.h"

namespace leftover::kernel {

namespace {

// False when they may not be looked at.
bool add_descriptors(const std::filesystem::path& folder, UsedFiles& used) {
    DIR* stream = ::opendir(folder.c_str());
    if (stream == nullptr) return errno != EACCES && errno != EPERM;
    while (const dirent* entry = ::readdir(stream)) {
        if (entry->d_name[0] == '.') continue;
        struct stat facts{};
        if (::fstatat(::dirfd(stream), entry->d_name, &facts, 0) == 0) {
            used.files.insert({facts.st_dev, facts.st_ino});
        }
    }
    ::closedir(stream);
    return true;
}

}  // namespace

void add_mappings(std::string_view maps, UsedFiles& used) {
    each_line(maps, [&](std::string_view line) {
        // 7f..-7f.. rw-s 00000000 00:1a 77    /dev/shm/name
        const auto words = split_words(line);
        if (words.size() < 5) return;
        const auto inode = parse_number<std::uint64_t>(words[4]);
        if (!inode || *inode == 0) return;
        const auto colon = words[3].find(':');
        if (colon == std::string_view::npos) return;
        const auto major = parse_number<unsigned>(words[3].substr(0, colon), 16);
        const auto minor = parse_number<unsigned>(words[3].substr(colon + 1), 16);
        if (!major || !minor) return;
        used.files.insert({makedev(*major, *minor), *inode});
        // The kernel gives an attached System V segment its id for an inode.
        if (words.size() >= 6 && words[5].starts_with("/SYSV")) {
            used.sysv_shared_memory.insert(static_cast<std::int64_t>(*inode));
        }
    });
}

UsedFiles used_files(const std::vector<int>& pids, const Roots& roots) {
    UsedFiles used;
    for (const int pid : pids) {
        const auto folder = roots.proc / std::to_string(pid);
        add_mappings(read_text(folder / "maps"), used);
        add_descriptors(folder / "fd", used);
    }
    return used;
}

FileUsers file_users(const std::vector<int>& pids, const Roots& roots) {
    FileUsers users;
    for (const int pid : pids) {
        const auto folder = roots.proc / std::to_string(pid);
        UsedFiles used;
        if (!add_descriptors(folder / "fd", used)) {
            const auto status = read_status(pid, roots);
            if (status && status->uid == ::getuid()) users.unreadable.push_back(pid);
            continue;
        }
        add_mappings(read_text(folder / "maps"), used);
        for (const char* link : {"cwd", "root", "exe"}) {
            if (const auto id = file_at(folder / link)) used.files.insert(*id);
        }
        for (const FileId& id : used.files) users.files.emplace(id, pid);
        for (const std::int64_t id : used.sysv_shared_memory) users.sysv_shared_memory.emplace(id, pid);
    }
    return users;
}

}  // namespace leftover::kernel
