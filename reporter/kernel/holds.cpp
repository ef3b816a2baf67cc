#include "reporter/kernel/holds.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "reporter/kernel/sockets.h"
#include "reporter/kernel/text.h"

namespace leftover::kernel {

namespace {

bool is_numbered(std::string_view text, std::string_view prefix) {
    return text.size() > prefix.size() && text.starts_with(prefix) && text[prefix.size()] >= '0' &&
           text[prefix.size()] <= '9';
}

// Terminals, and devices of which everybody has their own or nobody is kept out.
bool is_harmless_device(std::string_view path) {
    static constexpr std::array names{"/dev/null",   "/dev/zero", "/dev/full",    "/dev/random",
                                      "/dev/urandom", "/dev/tty",  "/dev/console", "/dev/ptmx",
                                      "/dev/fuse",    "/dev/kmsg", "/dev/net/tun"};
    return std::find(names.begin(), names.end(), path) != names.end() ||
           path.starts_with("/dev/pts/") || is_numbered(path, "/dev/tty");
}

bool is_device(const std::string& target, const struct stat* facts) {
    if (!target.starts_with("/dev/") || is_harmless_device(target)) return false;
    return facts == nullptr || S_ISCHR(facts->st_mode) || S_ISBLK(facts->st_mode);
}

// "socket:[4711]"
std::optional<std::uint64_t> socket_inode(std::string_view target) {
    constexpr std::string_view prefix = "socket:[";
    if (!target.starts_with(prefix) || !target.ends_with("]")) return std::nullopt;
    target.remove_prefix(prefix.size());
    target.remove_suffix(1);
    return parse_number<std::uint64_t>(target);
}

// Of one /proc/PID/fdinfo/N, which lists the locks taken through that descriptor. Leases lock nobody
// out for long.
bool has_lock(std::string_view information) {
    bool found = false;
    each_line(information, [&](std::string_view line) {
        const auto words = split_words(line);
        if (words.size() < 3 || words[0] != "lock:") return;
        found = found || words[2] == "FLOCK" || words[2] == "POSIX" || words[2] == "OFDLCK";
    });
    return found;
}

bool is_null(const struct stat& facts) {
    struct stat null{};
    return S_ISCHR(facts.st_mode) && ::stat("/dev/null", &null) == 0 && null.st_rdev == facts.st_rdev;
}

void add_once(std::vector<std::string>& list, std::string text) {
    if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(std::move(text));
}

}  // namespace

void add_tcp_listeners(std::string_view text, Listeners& listeners) {
    each_line(text, [&](std::string_view line) {
        const auto socket = parse_inet_socket(line);
        if (socket && socket->is_listening) listeners.emplace(socket->inode, "tcp:" + socket->local);
    });
}

void add_unix_listeners(std::string_view text, Listeners& listeners) {
    each_line(text, [&](std::string_view line) {
        const auto socket = parse_unix_socket(line);
        if (!socket || !socket->is_listening || socket->name.empty()) return;
        listeners.emplace(socket->inode, "unix:" + socket->name);
    });
}

const Listeners& Holdings::listeners_of(int pid) {
    const auto folder = roots_.proc / std::to_string(pid);
    std::string space = read_link(folder / "ns/net");
    if (space.empty()) space = std::to_string(pid);
    const auto [at, is_new] = listeners_.try_emplace(std::move(space));
    if (is_new) {
        add_tcp_listeners(read_text(folder / "net/tcp"), at->second);
        add_tcp_listeners(read_text(folder / "net/tcp6"), at->second);
        add_unix_listeners(read_text(folder / "net/unix"), at->second);
    }
    return at->second;
}

std::vector<std::string> Holdings::of(int pid) {
    const auto folder = roots_.proc / std::to_string(pid);
    DIR* stream = ::opendir((folder / "fd").c_str());
    if (stream == nullptr) return {};
    bool output = false;
    bool error = false;
    std::vector<std::string> sockets, devices, locks;
    while (const dirent* entry = ::readdir(stream)) {
        if (entry->d_name[0] == '.') continue;
        const std::string target = read_link(folder / "fd" / entry->d_name);
        if (target.empty()) continue;
        struct stat raw{};
        const struct stat* facts =
            ::fstatat(::dirfd(stream), entry->d_name, &raw, 0) == 0 ? &raw : nullptr;
        struct stat link{};  // its mode says how the file was opened
        const bool writes =
            ::fstatat(::dirfd(stream), entry->d_name, &link, AT_SYMLINK_NOFOLLOW) == 0 &&
            (link.st_mode & S_IWUSR) != 0;
        if (facts != nullptr && writes && !is_null(*facts)) {
            const FileId id{facts->st_dev, facts->st_ino};
            output = output || id == standard_output_;
            error = error || id == standard_error_;
        }
        if (const auto inode = socket_inode(target)) {
            const Listeners& listeners = listeners_of(pid);
            if (const auto at = listeners.find(*inode); at != listeners.end()) {
                add_once(sockets, at->second);
            }
        } else if (is_device(target, facts)) {
            add_once(devices, target);
        } else if (target.front() == '/' && has_lock(read_text(folder / "fdinfo" / entry->d_name))) {
            add_once(locks, "lock:" + target);
        }
    }
    ::closedir(stream);
    std::vector<std::string> all;
    if (output) all.emplace_back("stdout");
    if (error) all.emplace_back("stderr");
    for (auto* list : {&sockets, &devices, &locks}) {
        std::sort(list->begin(), list->end());
        all.insert(all.end(), list->begin(), list->end());
    }
    return all;
}

}  // namespace leftover::kernel
