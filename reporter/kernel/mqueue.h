// POSIX message queues.
#pragma once

#include <optional>
#include <string>

#include "reporter/kernel/file.h"
#include "reporter/kernel/roots.h"

namespace leftover::kernel {

// Facts about the queue `/name` of this IPC namespace, nothing when there is none. Looks below the
// mount first and opens the queue where nothing is mounted (which needs the right to read it). `born`
// is the last moment at which it may have been made or used, as far as the kernel tells.
std::optional<FileFacts> queue_facts(const std::string& name, const Roots& roots = {});

}  // namespace leftover::kernel
