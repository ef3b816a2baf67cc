// POSIX message queues. Their file system need not be mounted; then a queue is looked at through a
// descriptor of it, which one that may not be read has none of.
#include <fcntl.h>
#include <sys/stat.h>

#include "preload/core/sys.h"
#include "preload/hand/judge.h"
#include "preload/hand/named.h"

namespace leftover::hand {

namespace {

constexpr std::string_view folder = "/dev/mqueue/";

// This file system keeps whole seconds (the default s_time_gran), and no birth: the queue may have been
// made as late as the end of that second.
constexpr std::uint64_t granularity = 1'000'000'000;  // ns

bool look_at_queue(const char* path, FileFacts& facts) {
    if (look_at_path(path, facts)) {
        facts.born_ns += granularity - 1;
        return true;
    }
    const long fd = sys::call(SYS_mq_open, path + folder.size(),
                              O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0L, nullptr);
    if (sys::failed(fd)) return false;
    const bool found = look_at(fd, "", facts);
    sys::close(fd);
    facts.born_ns += granularity - 1;
    return found;
}

}  // namespace

void judge_message_queues(const Case& about) {
    for (const NamedLeak* leak : find_named(about, Kind::message_queue, folder, look_at_queue)) {
        add_named(about, Kind::message_queue, *leak);
    }
}

}  // namespace leftover::hand
