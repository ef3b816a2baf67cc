// Whether anybody on this machine uses a file. Asked when the session's own processes have ended.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "reporter/kernel/users.h"

namespace leftover::clean {

class Users {
public:
    // Looks at all processes, but for other cleaners: these are about to let go.
    Users();

    // Who has it open, mapped, or as a working folder: "pid 7 (python3)". Nothing: nobody that /proc
    // shows.
    std::optional<std::string> of(const kernel::FileId& id) const;
    std::optional<std::string> of_sysv(std::int64_t shared_memory_id) const;

    // A regular file that is open in `fd`, which is asked with a lease, too: that is granted only if
    // nobody at all has it open or mapped, other pid namespaces included. Empty: nobody uses it.
    std::string of_open(int fd, const kernel::FileId& id) const;

    // A name for which no lease can be had: a folder, or a file that may not be opened.
    std::string of_unopened(const kernel::FileId& id) const;

    // A socket file.
    std::string of_socket(const std::string& path, const kernel::FileId& id) const;

private:
    kernel::FileUsers known_;
};

}  // namespace leftover::clean
