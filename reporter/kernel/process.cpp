#include "reporter/kernel/process.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "reporter/kernel/text.h"

namespace leftover::kernel {

namespace {

std::filesystem::path folder(int pid, const Roots& roots) {
    return roots.proc / std::to_string(pid);
}

std::uint64_t inode_of(const std::filesystem::path& path) {
    struct stat facts{};
    return ::stat(path.c_str(), &facts) == 0 ? facts.st_ino : 0;
}

}  // namespace

std::optional<ProcessStat> parse_stat(std::string_view line) {
    const auto open = line.find('(');
    const auto close = line.rfind(')');
    if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
        return std::nullopt;
    }
    while (!line.empty() && line.back() == '\n') line.remove_suffix(1);
    const auto before = split_words(line.substr(0, open));
    // Fields from the third (state) on; [n] is field n + 3 of proc(5).
    const auto fields = split_words(line.substr(close + 1));
    if (before.size() != 1 || fields.size() < 22 || fields[0].size() != 1) return std::nullopt;

    const auto pid = parse_number<int>(before[0]);
    const auto ppid = parse_number<int>(fields[1]);
    const auto threads = parse_number<int>(fields[17]);
    const auto start = parse_number<std::uint64_t>(fields[19]);
    const auto pages = parse_number<std::int64_t>(fields[21]);
    if (!pid || !ppid || !threads || !start || !pages) return std::nullopt;

    static const auto page_size = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    ProcessStat stat;
    stat.pid = *pid;
    stat.comm = line.substr(open + 1, close - open - 1);
    stat.state = fields[0][0];
    stat.ppid = *ppid;
    stat.threads = *threads;
    stat.start_ticks = *start;
    stat.resident_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(*pages, 0)) * page_size;
    return stat;
}

std::optional<ProcessStat> read_stat(int pid, const Roots& roots) {
    if (pid <= 0) return std::nullopt;
    return parse_stat(read_text(folder(pid, roots) / "stat"));
}

bool is_alive(const ProcessStat& stat) {
    if (stat.state == 'X' || stat.state == 'x') return false;
    return stat.state != 'Z' || stat.threads > 1;
}

std::optional<ProcessStatus> read_status(int pid, const Roots& roots) {
    const std::string text = read_text(folder(pid, roots) / "status");
    if (text.empty()) return std::nullopt;
    ProcessStatus status;
    bool has_uid = false;
    each_line(text, [&](std::string_view line) {
        const auto words = split_words(line);
        if (words.size() >= 3 && words[0] == "Uid:") {
            const auto real = parse_number<uid_t>(words[1]);
            const auto effective = parse_number<uid_t>(words[2]);
            has_uid = real && effective;
            status.uid = real.value_or(0);
            status.effective_uid = effective.value_or(0);
        } else if (words.size() >= 2 && words[0] == "NSpid:") {
            for (std::size_t i = 1; i < words.size(); ++i) {
                status.namespace_pids.push_back(parse_number<int>(words[i]).value_or(0));
            }
        }
    });
    if (!has_uid) return std::nullopt;
    if (status.namespace_pids.empty()) status.namespace_pids.push_back(pid);  // an old kernel
    return status;
}

std::vector<std::string> read_command(int pid, const Roots& roots) {
    const std::string text = read_text(folder(pid, roots) / "cmdline");
    std::vector<std::string> command;
    for (std::size_t begin = 0; begin < text.size();) {
        const auto end = std::min(text.find('\0', begin), text.size());
        command.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    // setproctitle and its kin leave padding behind the title.
    while (command.size() > 1 && command.back().empty()) command.pop_back();
    return command;
}

std::string read_executable(int pid, const Roots& roots) {
    std::string path = read_link(folder(pid, roots) / "exe");
    constexpr std::string_view deleted = " (deleted)";
    if (path.ends_with(deleted)) path.resize(path.size() - deleted.size());
    return path;
}

std::string program_name(const ProcessStat& stat, const Roots& roots) {
    const std::string path = read_executable(stat.pid, roots);
    const std::string name = path.substr(path.rfind('/') + 1);
    return name.empty() ? stat.comm : name;
}

std::uint64_t read_pid_namespace(int pid, const Roots& roots) {
    return inode_of(folder(pid, roots) / "ns/pid");
}

std::uint64_t own_pid_namespace(const Roots& roots) { return inode_of(roots.proc / "self/ns/pid"); }

std::vector<int> list_processes(const Roots& roots) {
    std::vector<int> pids;
    DIR* folder = ::opendir(roots.proc.c_str());
    if (folder == nullptr) return pids;
    while (const dirent* entry = ::readdir(folder)) {
        if (const auto pid = parse_number<int>(entry->d_name); pid && *pid > 0) {
            pids.push_back(*pid);
        }
    }
    ::closedir(folder);
    std::sort(pids.begin(), pids.end());
    return pids;
}

}  // namespace leftover::kernel
