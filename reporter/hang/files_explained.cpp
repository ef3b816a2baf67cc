#include "reporter/hang/files_explained.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>

#include "reporter/kernel/text.h"

namespace leftover::hang {
namespace {

std::string descriptor(int pid, int fd) { return fmt::format("/proc/{}/fd/{}", pid, fd); }

std::string information(int pid, int fd) { return kernel::read_text(fmt::format("/proc/{}/fdinfo/{}", pid, fd)); }

}  // namespace

void Explanation::add(int pid, int tid) {
    constexpr std::size_t most = 64;
    const bool known = std::any_of(whom.begin(), whom.end(),
                                   [=](const WaitsFor& one) { return one.pid == pid && one.tid == tid; });
    if (!known && whom.size() < most) whom.push_back({pid, tid});
}

std::string pids_in_words(const std::vector<int>& pids, int own) {
    constexpr std::size_t most = 8;
    std::string words = "pid ";
    for (std::size_t i = 0; i < pids.size() && i < most; ++i) {
        if (i > 0) words += ", ";
        words += fmt::format("{}{}", pids[i], pids[i] == own ? " (itself)" : "");
    }
    if (pids.size() > most) words += fmt::format(" and {} more", pids.size() - most);
    return words;
}

const kernel::OpenFiles& FilesExplained::open_files() {
    if (!open_files_) open_files_.emplace();
    return *open_files_;
}

const std::unordered_map<std::uint64_t, kernel::Socket>& FilesExplained::sockets_of(int pid) {
    std::string space = kernel::read_link(fmt::format("/proc/{}/ns/net", pid));
    const auto [at, is_new] = sockets_.try_emplace(std::move(space));
    if (is_new) at->second = kernel::sockets_seen_by(pid);
    return at->second;
}

Explanation FilesExplained::pipe(int pid, const std::string& target, const kernel::FileId& id, bool for_reading) {
    std::vector<int> others;
    bool has_itself = false;
    for (const kernel::Holder& holder : open_files().holders_of(id)) {
        if (!(for_reading ? holder.writes : holder.reads)) continue;
        if (holder.pid == pid) {
            has_itself = true;
        } else {
            others.push_back(holder.pid);
        }
    }
    Explanation explained;
    for (const int other : others) explained.add(other);
    if (has_itself) {
        explained.add(pid);
        others.push_back(pid);
        std::sort(others.begin(), others.end());
    }
    const char* verb = for_reading ? "written" : "read";
    if (!others.empty()) {
        explained.words = fmt::format("{}, {} by {}", target, verb, pids_in_words(others, pid));
    } else if (open_files().unseen() > 0) {
        explained.words = fmt::format("{}, {} by a process of another user", target, verb);
    } else {
        explained.words = fmt::format("{}, {} by nobody", target, verb);
    }
    return explained;
}

Explanation FilesExplained::socket(int pid, const std::string& target, const kernel::FileId& id) {
    Explanation explained;
    const auto& sockets = sockets_of(pid);
    const auto at = sockets.find(id.inode);
    if (at == sockets.end()) {
        explained.words = target;
        return explained;
    }
    const kernel::Socket& socket = at->second;
    explained.words = socket.local.empty() ? target : fmt::format("{}:{}", socket.protocol, socket.local);
    std::vector<int> others;
    if (socket.peer != 0) {
        for (const kernel::Holder& holder : open_files().holders_of({id.device, socket.peer})) {
            others.push_back(holder.pid);
        }
    }
    if (socket.is_listening || (socket.remote.empty() && others.empty())) return explained;
    explained.words += ", connected to";
    if (!socket.remote.empty()) explained.words += fmt::format(" {}:{}", socket.protocol, socket.remote);
    if (!others.empty()) {
        explained.words += fmt::format("{} {}", socket.remote.empty() ? "" : " of", pids_in_words(others, pid));
    }
    std::stable_partition(others.begin(), others.end(), [pid](int other) { return other != pid; });
    for (const int other : others) explained.add(other);
    return explained;
}

int FilesExplained::process_of(int pid, int fd) {
    int found = 0;
    kernel::each_line(information(pid, fd), [&](std::string_view line) {
        const auto words = kernel::split_words(line);
        if (words.size() == 2 && words[0] == "Pid:") found = kernel::parse_number<int>(words[1]).value_or(0);
    });
    return std::max(found, 0);
}

Explanation FilesExplained::file(int pid, int fd, bool for_reading) {
    const std::string path = descriptor(pid, fd);
    std::string target = kernel::read_link(path);
    struct stat facts{};
    Explanation explained;
    if (target.empty() || ::stat(path.c_str(), &facts) != 0) {
        explained.words = target.empty() ? fmt::format("descriptor {}, which is closed", fd) : target;
        return explained;
    }
    const kernel::FileId id{facts.st_dev, facts.st_ino};
    if (S_ISFIFO(facts.st_mode)) return pipe(pid, target, id, for_reading);
    if (S_ISSOCK(facts.st_mode)) return socket(pid, target, id);
    if (target.find("pidfd") != target.npos) {
        if (const int other = process_of(pid, fd); other != 0) {
            explained.words = fmt::format("the end of pid {}", other);
            explained.add(other);
            return explained;
        }
    }
    constexpr std::string_view anonymous = "anon_inode:";
    explained.words = target.starts_with(anonymous) ? target.substr(anonymous.size()) : target;
    return explained;
}

std::vector<FilesExplained::Watched> FilesExplained::epoll_set(int pid, int fd) {
    std::vector<Watched> set;
    kernel::each_line(information(pid, fd), [&](std::string_view line) {
        // tfd:        5 events:       19 data:                5  pos:0 ino:f sdev:c
        const auto words = kernel::split_words(line);
        if (words.size() < 4 || words[0] != "tfd:" || words[2] != "events:") return;
        const auto number = kernel::parse_number<int>(words[1]);
        const auto events = kernel::parse_number<std::uint32_t>(words[3], 16);
        constexpr std::uint32_t input = 1;
        constexpr std::uint32_t output = 4;
        if (number && events && (*events & (input | output)) != 0) set.push_back({*number, (*events & input) != 0});
    });
    return set;
}

Explanation FilesExplained::lock(int pid, int fd, bool is_record) {
    Explanation explained;
    const std::string path = descriptor(pid, fd);
    explained.words = kernel::read_link(path);
    struct stat facts{};
    if (::stat(path.c_str(), &facts) != 0) return explained;
    std::vector<int> holders;
    bool is_of_open_file = false;
    for (const kernel::FileLock& lock : kernel::file_locks()) {
        if (lock.is_waiting || lock.inode != facts.st_ino || lock.major != major(facts.st_dev) ||
            lock.minor != minor(facts.st_dev) || (lock.kind == "FLOCK") == is_record || lock.kind == "LEASE") {
            continue;
        }
        is_of_open_file = is_of_open_file || lock.kind == "OFDLCK";
        if (lock.pid > 0 && std::find(holders.begin(), holders.end(), lock.pid) == holders.end()) {
            holders.push_back(lock.pid);
        }
    }
    if (is_of_open_file) {
        for (const int holder : kernel::holders_of_open_file_locks(facts)) {
            if (std::find(holders.begin(), holders.end(), holder) == holders.end()) holders.push_back(holder);
        }
    }
    if (holders.empty()) return explained;
    explained.words += fmt::format(", held by {}", pids_in_words(holders, pid));
    for (const int holder : holders) explained.add(holder);
    return explained;
}

}  // namespace leftover::hang
