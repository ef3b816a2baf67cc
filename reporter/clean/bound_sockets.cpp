#include "reporter/clean/bound_sockets.h"

#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <set>
#include <string_view>

#include "reporter/kernel/process.h"
#include "reporter/kernel/text.h"
#include "reporter/run/descriptor.h"

namespace leftover::clean {

namespace {

// As the kernel holds it: 12 bits, 20 bits.
std::uint64_t device_of(std::uint32_t number) { return makedev(number >> 20, number & 0xfffff); }

bool ask_for_all(int socket) {
    struct {
        nlmsghdr header;
        unix_diag_req request;
    } message{};
    message.header.nlmsg_len = sizeof message;
    message.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    message.request.sdiag_family = AF_UNIX;
    message.request.udiag_states = ~0U;
    message.request.udiag_show = UDIAG_SHOW_VFS;
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    return ::sendto(socket, &message, sizeof message, 0, reinterpret_cast<const sockaddr*>(&kernel),
                    sizeof kernel) == static_cast<ssize_t>(sizeof message);
}

bool is_bound_to(const nlmsghdr* message, const kernel::FileId& id) {
    const char* at = reinterpret_cast<const char*>(message) + NLMSG_LENGTH(sizeof(unix_diag_msg));
    const char* end = reinterpret_cast<const char*>(message) + message->nlmsg_len;
    while (end - at >= static_cast<std::ptrdiff_t>(sizeof(nlattr))) {
        nlattr attribute{};
        std::memcpy(&attribute, at, sizeof attribute);
        if (attribute.nla_len < sizeof attribute || attribute.nla_len > end - at) return false;
        if (attribute.nla_type == UNIX_DIAG_VFS &&
            attribute.nla_len >= sizeof attribute + sizeof(unix_diag_vfs)) {
            unix_diag_vfs file{};
            std::memcpy(&file, at + sizeof attribute, sizeof file);
            // Of the inode's number it tells the lower half.
            return file.udiag_vfs_ino == static_cast<std::uint32_t>(id.inode) &&
                   device_of(file.udiag_vfs_dev) == id.device;
        }
        at += NLA_ALIGN(attribute.nla_len);
    }
    return false;
}

// Sockets of this network namespace. Where the kernel cannot tell: false.
bool is_bound_here(const kernel::FileId& id) {
    const run::Descriptor socket(
        ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    if (!socket.is_open() || !ask_for_all(socket.get())) return false;
    alignas(nlmsghdr) std::array<char, 32768> buffer;
    for (;;) {
        const ssize_t got = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
        if (got <= 0) return false;
        auto rest = static_cast<unsigned>(got);
        for (auto* message = reinterpret_cast<nlmsghdr*>(buffer.data()); NLMSG_OK(message, rest);
             message = NLMSG_NEXT(message, rest)) {
            if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) return false;
            if (is_bound_to(message, id)) return true;
        }
    }
}

// A relative path is whatever its process had for a working folder then: better one too many.
bool is_path_of(std::string_view bound, std::string_view path) {
    if (bound.empty() || bound.front() == '@') return false;
    if (bound.front() == '/') return bound == path;
    return bound.substr(bound.rfind('/') + 1) == path.substr(path.rfind('/') + 1);
}

bool lists(std::string_view text, std::string_view path) {
    bool found = false;
    kernel::each_line(text, [&](std::string_view line) {
        // Num       RefCount Protocol Flags    Type St Inode Path
        const auto words = kernel::split_words(line);
        if (words.size() < 8 || words[0] == "Num") return;
        found = found || is_path_of(line.substr(static_cast<std::size_t>(words[7].data() - line.data())), path);
    });
    return found;
}

bool is_bound_elsewhere(const std::string& path) {
    std::set<std::string> seen{""};
    const std::string own = kernel::read_link("/proc/self/ns/net");
    for (const int pid : kernel::list_processes()) {
        const std::string folder = "/proc/" + std::to_string(pid);
        const std::string space = kernel::read_link(folder + "/ns/net");
        if (space == own || !seen.insert(space).second) continue;
        if (lists(kernel::read_text(folder + "/net/unix"), path)) return true;
    }
    return lists(kernel::read_text("/proc/self/net/unix"), path);
}

}  // namespace

bool is_socket_bound(const std::string& path, const kernel::FileId& id) {
    return is_bound_here(id) || is_bound_elsewhere(path);
}

}  // namespace leftover::clean
