// What lies anywhere in the file system: temporary files and directories, sockets bound to a path.
#include <sys/stat.h>

#include "preload/hand/judge.h"
#include "preload/hand/named.h"

namespace leftover::hand {

namespace {

void judge_paths(const Case& about, Kind kind, std::uint32_t type) {
    for (const NamedLeak* leak : find_paths(about, kind, type)) add_named(about, kind, *leak);
}

}  // namespace

void judge_temporary(const Case& about) {
    judge_paths(about, Kind::temporary_file, S_IFREG);
    judge_paths(about, Kind::temporary_directory, S_IFDIR);
}

void judge_socket_files(const Case& about) { judge_paths(about, Kind::socket_file, S_IFSOCK); }

}  // namespace leftover::hand
