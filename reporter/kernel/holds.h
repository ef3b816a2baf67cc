// What a process keeps open that others may be waiting for. Never throws; what may not be looked into
// is left out.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "reporter/kernel/file.h"
#include "reporter/kernel/roots.h"

namespace leftover::kernel {

// Inodes of listening sockets, in words: `tcp:127.0.0.1:8080`, `tcp:[::1]:80`, `unix:/path`,
// `unix:@abstract`.
using Listeners = std::unordered_map<std::uint64_t, std::string>;

// Add what the text of /proc/PID/net/{tcp,tcp6} or /proc/PID/net/unix tells.
void add_tcp_listeners(std::string_view text, Listeners& listeners);
void add_unix_listeners(std::string_view text, Listeners& listeners);

class Holdings {
public:
    // The two standard streams that count; nothing: not known.
    Holdings(std::optional<FileId> standard_output, std::optional<FileId> standard_error,
             const Roots& roots)
        : standard_output_(standard_output), standard_error_(standard_error), roots_(roots) {}

    // `stdout`, `stderr` (open for writing), listening sockets, devices by their path (terminals and
    // those that keep nobody out are none), `lock:PATH` for locks on files; each once, in this
    // order. Sockets are looked up once for each network namespace.
    std::vector<std::string> of(int pid);

private:
    const Listeners& listeners_of(int pid);

    std::optional<FileId> standard_output_, standard_error_;
    const Roots& roots_;
    std::map<std::string, Listeners> listeners_;  // by namespace
};

}  // namespace leftover::kernel
