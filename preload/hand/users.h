// Whether a process other than this one uses a file. Any context; lives in a pool.
#pragma once

#include <cstdint>
#include <string_view>

#include "preload/core/law.h"
#include "preload/hand/pool.h"

namespace leftover::hand {

// What the process of that number has open, mapped, executes, or has as a working folder.
enum class Use { none, some, unknown };  // unknown: one of this user's that may not be looked into
Use use_of(const char* number, std::uint64_t device, std::uint64_t inode);

class Users {
public:
    // Looks at all other processes that /proc shows.
    explicit Users(Pool& pool);

    // What it has open, mapped, executes, or has as a working folder. A literal; empty: nobody uses it.
    std::string_view of(std::uint64_t device, std::uint64_t inode) const;

    // The same for a regular file that is open in `fd`, which is asked with a lease, too: granted only if
    // nobody else has it open or mapped, other pid namespaces included. What we ourselves have of it is
    // let go of for that: mappings become private copies, descriptors lead to /dev/null.
    std::string_view of_open(long fd, std::uint64_t device, std::uint64_t inode) const;

    // A socket file.
    std::string_view of_socket(std::string_view path) const;

    // How often this process has attached the System V segment.
    std::uint64_t own_attachments(std::uint64_t id) const;

private:
    void look_at_process(const char* number);

    Pool& pool_;
    Table files_;
    bool unreadable_ = false;  // a process of ours may not be looked into
};

}  // namespace leftover::hand
