// Unix sockets that are still there.
#pragma once

#include <string>

#include "reporter/kernel/file.h"

namespace leftover::clean {

// Whether a socket is bound to this socket file: somebody has it open. Known by the file for this
// network namespace, by the path for others that /proc shows.
bool is_socket_bound(const std::string& path, const kernel::FileId& id);

}  // namespace leftover::clean
