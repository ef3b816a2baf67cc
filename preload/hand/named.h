// Resources that are a name in a file system: the name must still resolve to the file that was
// made. Any context; what is found lives in the evidence's pool.
#pragma once

#include <cstdint>
#include <string_view>

#include "preload/core/law.h"
#include "preload/hand/judge.h"

namespace leftover::hand {

struct FileFacts {
    std::uint64_t device, inode;
    std::uint32_t user;
    std::uint32_t mode;
    std::uint32_t links;
    std::uint64_t bytes;
    // CLOCK_REALTIME ns, from a clock that lags by up to a tick. Where the file system keeps no
    // birth time this is the last change of the inode.
    std::uint64_t born_ns;
    std::uint64_t changed_ns;  // the inode, the last time; by the same clock
    bool has_birth;
};

inline constexpr std::uint64_t clock_slack = 20'000'000;  // ns

// Of the name itself, not of where a link points; `folder` may be AT_FDCWD. Without a name, of what
// `folder` is open on.
bool look_at(long folder, const char* name, FileFacts& facts);

struct NamedLeak {
    const Resource* origin;
    std::string_view name;  // as shown
    std::string_view path;  // with a NUL behind it
    FileFacts facts;
};

// How the file of a path is looked at.
using Look = bool (*)(const char* path, FileFacts& facts);
bool look_at_path(const char* path, FileFacts& facts);

// All of a kind that are still there, each name once. `prefix` in front of a name without its slash
// is its path.
List<NamedLeak*> find_named(const Case& about, Kind kind, std::string_view prefix,
                            Look look = look_at_path);

// The same for kinds whose names are absolute paths, of files of this type (S_IFREG...).
List<NamedLeak*> find_paths(const Case& about, Kind kind, std::uint32_t type);

void add_named(const Case& about, Kind kind, const NamedLeak& found);

// A POSIX object's name without its slash; empty when it is none.
std::string_view posix_name(std::string_view name);

}  // namespace leftover::hand
