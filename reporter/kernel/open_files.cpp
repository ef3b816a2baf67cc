#include "reporter/kernel/open_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "reporter/kernel/process.h"
#include "reporter/kernel/text.h"

namespace leftover::kernel {

OpenFiles::OpenFiles(const Roots& roots) {
    for (const int pid : list_processes(roots)) {
        DIR* folder = ::opendir((roots.proc / std::to_string(pid) / "fd").c_str());
        if (folder == nullptr) {
            if (errno == EACCES || errno == EPERM) ++unseen_;
            continue;
        }
        while (const dirent* entry = ::readdir(folder)) {
            if (entry->d_name[0] == '.') continue;
            struct stat file{};
            if (::fstatat(::dirfd(folder), entry->d_name, &file, 0) != 0) continue;
            if (!S_ISFIFO(file.st_mode) && !S_ISSOCK(file.st_mode)) continue;
            struct stat link{};  // its mode says how the file was opened
            if (::fstatat(::dirfd(folder), entry->d_name, &link, AT_SYMLINK_NOFOLLOW) != 0) continue;
            auto& holders = holders_[{file.st_dev, file.st_ino}];
            if (holders.empty() || holders.back().pid != pid) holders.push_back({pid});
            holders.back().reads = holders.back().reads || (link.st_mode & S_IRUSR) != 0;
            holders.back().writes = holders.back().writes || (link.st_mode & S_IWUSR) != 0;
        }
        ::closedir(folder);
    }
}

namespace {

std::optional<FileLock> parse_lock(std::string_view line) {
    // 1: FLOCK  ADVISORY  WRITE 4711 fe:00:12345 0 EOF
    // 1: -> FLOCK  ADVISORY  WRITE 4712 fe:00:12345 0 EOF
    auto words = split_words(line);
    FileLock lock;
    lock.is_waiting = words.size() > 1 && words[1] == "->";
    if (lock.is_waiting) words.erase(words.begin() + 1);
    if (words.size() < 6 || !words[0].ends_with(':')) return std::nullopt;
    const std::string_view file = words[5];
    const auto first = file.find(':');
    const auto second = file.find(':', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) return std::nullopt;
    lock.id = parse_number<std::uint64_t>(words[0].substr(0, words[0].size() - 1)).value_or(0);
    lock.kind = words[1];
    lock.pid = parse_number<int>(words[4]).value_or(0);
    lock.major = parse_number<unsigned>(file.substr(0, first), 16).value_or(0);
    lock.minor = parse_number<unsigned>(file.substr(first + 1, second - first - 1), 16).value_or(0);
    lock.inode = parse_number<std::uint64_t>(file.substr(second + 1)).value_or(0);
    return lock;
}

}  // namespace

const std::vector<Holder>& OpenFiles::holders_of(const FileId& pipe_or_socket) const {
    static const std::vector<Holder> none;
    const auto at = holders_.find(pipe_or_socket);
    return at == holders_.end() ? none : at->second;
}

std::vector<FileLock> file_locks(const Roots& roots) {
    std::vector<FileLock> locks;
    each_line(read_text(roots.proc / "locks"), [&](std::string_view line) {
        if (auto lock = parse_lock(line)) locks.push_back(std::move(*lock));
    });
    return locks;
}

std::vector<int> holders_of_open_file_locks(const struct stat& file, const Roots& roots) {
    constexpr std::string_view start = "lock:";
    std::vector<int> holders;
    for (const int pid : list_processes(roots)) {
        const std::string process = (roots.proc / std::to_string(pid)).string();
        bool holds = false;
        std::error_code error;
        for (std::filesystem::directory_iterator at(process + "/fd", error), end; !error && at != end && !holds;
             at.increment(error)) {
            struct stat facts{};
            if (::stat(at->path().c_str(), &facts) != 0 || facts.st_dev != file.st_dev || facts.st_ino != file.st_ino) continue;
            each_line(read_text(process + "/fdinfo/" + at->path().filename().string()), [&](std::string_view line) {
                if (!line.starts_with(start)) return;
                const auto lock = parse_lock(line.substr(start.size()));
                holds = holds || (lock && !lock->is_waiting && lock->kind == "OFDLCK");
            });
        }
        if (holds) holders.push_back(pid);
    }
    return holders;
}

}  // namespace leftover::kernel
