// Sockets as /proc/PID/net shows them, and who is at the other end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "reporter/kernel/roots.h"

namespace leftover::kernel {

// Of /proc/net/{tcp,tcp6,udp,udp6}; addresses as `127.0.0.1:8080`, `[::1]:80`.
struct InetSocket {
    std::uint64_t inode = 0;
    std::string local, remote;
    bool is_listening = false;
};

// One line of such a file; nothing for its headline.
std::optional<InetSocket> parse_inet_socket(std::string_view line);

struct UnixSocket {
    std::uint64_t inode = 0;
    std::uint64_t peer = 0;  // its inode; 0: none, or not known
    std::string name;        // `/path`, `@abstract`; empty: none
    bool is_listening = false;
};

// One line of /proc/net/unix, which does not tell the peer.
std::optional<UnixSocket> parse_unix_socket(std::string_view line);

struct Socket {
    std::string protocol;       // tcp, udp, unix
    std::string local, remote;  // without the protocol; empty: none
    bool is_listening = false;
    std::uint64_t peer = 0;  // the inode of the other end, if it is on this machine
};

// Every socket of that process's network namespace, by inode. The peers of Unix sockets are known for
// our own namespace only.
std::unordered_map<std::uint64_t, Socket> sockets_seen_by(int pid, const Roots& roots = {});

}  // namespace leftover::kernel
