#include "reporter/kernel/sockets.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <vector>

#include <fmt/format.h>

#include "reporter/kernel/text.h"

namespace leftover::kernel {

namespace {

// An address as /proc/net shows it: 32-bit words, each in hex as the machine holds it, and the port.
std::string address_words(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) return {};
    const std::string_view hex = text.substr(0, colon);
    const auto port = parse_number<unsigned>(text.substr(colon + 1), 16);
    std::array<std::uint32_t, 4> words{};
    const std::size_t count = hex.size() / 8;
    if (!port || hex.size() % 8 != 0 || (count != 1 && count != 4)) return {};
    for (std::size_t i = 0; i < count; ++i) {
        const auto word = parse_number<std::uint32_t>(hex.substr(i * 8, 8), 16);
        if (!word) return {};
        words[i] = *word;
    }
    char shown[INET6_ADDRSTRLEN];
    if (::inet_ntop(count == 1 ? AF_INET : AF_INET6, words.data(), shown, sizeof shown) == nullptr) return {};
    return count == 1 ? fmt::format("{}:{}", shown, *port) : fmt::format("[{}]:{}", shown, *port);
}

// Asks the kernel (sock_diag) for the peers of this namespace's Unix sockets.
std::unordered_map<std::uint64_t, std::uint64_t> unix_peers() {
    std::unordered_map<std::uint64_t, std::uint64_t> peers;
    const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd < 0) return peers;
    const timeval patience{1, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    struct {
        nlmsghdr header;
        unix_diag_req request;
    } question{};
    question.header.nlmsg_len = sizeof question;
    question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    question.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    question.request.sdiag_family = AF_UNIX;
    question.request.udiag_states = ~0U;
    question.request.udiag_show = UDIAG_SHOW_PEER;
    bool more = ::send(fd, &question, sizeof question, 0) == sizeof question;
    std::vector<char> buffer(1 << 16);
    while (more) {
        const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
        if (got <= 0) break;
        auto left = static_cast<unsigned>(got);
        for (auto* message = reinterpret_cast<nlmsghdr*>(buffer.data()); NLMSG_OK(message, left);
             message = NLMSG_NEXT(message, left)) {
            if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY) {
                more = false;  // the end, or an error
                break;
            }
            const auto* entry = static_cast<const unix_diag_msg*>(NLMSG_DATA(message));
            const char* at = reinterpret_cast<const char*>(entry + 1);
            const char* end = reinterpret_cast<const char*>(message) + message->nlmsg_len;
            while (at + sizeof(nlattr) <= end) {
                nlattr attribute{};
                std::memcpy(&attribute, at, sizeof attribute);
                std::uint32_t peer = 0;
                if (attribute.nla_type == UNIX_DIAG_PEER && attribute.nla_len >= sizeof attribute + sizeof peer) {
                    std::memcpy(&peer, at + sizeof attribute, sizeof peer);
                    peers[entry->udiag_ino] = peer;
                }
                if (attribute.nla_len < sizeof attribute) break;
                at += NLMSG_ALIGN(attribute.nla_len);
            }
        }
    }
    ::close(fd);
    return peers;
}

}  // namespace

std::optional<InetSocket> parse_inet_socket(std::string_view line) {
    // sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
    const auto words = split_words(line);
    if (words.size() < 10) return std::nullopt;
    const auto inode = parse_number<std::uint64_t>(words[9]);
    InetSocket socket{inode.value_or(0), address_words(words[1]), address_words(words[2]), words[3] == "0A"};
    if (!inode || socket.local.empty()) return std::nullopt;
    return socket;
}

std::optional<UnixSocket> parse_unix_socket(std::string_view line) {
    constexpr unsigned accepts = 0x10000;  // __SO_ACCEPTCON of the kernel's include/linux/net.h
    // Num       RefCount Protocol Flags    Type St Inode Path
    const auto words = split_words(line);
    if (words.size() < 7) return std::nullopt;
    const auto flags = parse_number<unsigned>(words[3], 16);
    const auto inode = parse_number<std::uint64_t>(words[6]);
    if (!flags || !inode) return std::nullopt;
    UnixSocket socket{*inode, 0, {}, (*flags & accepts) != 0};
    // The path is all the rest, blanks included.
    if (words.size() > 7) socket.name = line.substr(static_cast<std::size_t>(words[7].data() - line.data()));
    return socket;
}

std::unordered_map<std::uint64_t, Socket> sockets_seen_by(int pid, const Roots& roots) {
    std::unordered_map<std::uint64_t, Socket> all;
    const auto folder = roots.proc / std::to_string(pid);
    for (const char* file : {"tcp", "tcp6", "udp", "udp6"}) {
        std::unordered_map<std::string, std::uint64_t> by_ends;
        const std::string protocol(file, 3);
        each_line(read_text(folder / "net" / file), [&](std::string_view line) {
            const auto found = parse_inet_socket(line);
            if (!found || found->inode == 0) return;
            const bool is_connected = !found->remote.ends_with(":0");
            all[found->inode] = {protocol, found->local, is_connected ? found->remote : "", found->is_listening, 0};
            if (is_connected) by_ends.emplace(found->local + " " + found->remote, found->inode);
        });
        for (const auto& [ends, inode] : by_ends) {
            const Socket& socket = all[inode];
            const auto other = by_ends.find(socket.remote + " " + socket.local);
            if (other != by_ends.end()) all[inode].peer = other->second;
        }
    }
    std::unordered_map<std::uint64_t, std::uint64_t> peers;
    if (read_link(folder / "ns/net") == read_link(roots.proc / "self/ns/net")) peers = unix_peers();
    std::unordered_map<std::uint64_t, std::string> names;
    each_line(read_text(folder / "net/unix"), [&](std::string_view line) {
        auto found = parse_unix_socket(line);
        if (!found) return;
        const auto peer = peers.find(found->inode);
        names[found->inode] = found->name;
        all[found->inode] = {"unix", std::move(found->name), "", found->is_listening,
                             peer == peers.end() ? 0 : peer->second};
    });
    for (auto& [inode, socket] : all) {
        if (socket.protocol == "unix" && socket.peer != 0) socket.remote = names[socket.peer];
    }
    return all;
}

}  // namespace leftover::kernel
