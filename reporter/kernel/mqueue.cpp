#include "reporter/kernel/mqueue.h"

#include <fcntl.h>
#include <mqueue.h>
#include <sys/stat.h>

namespace leftover::kernel {

namespace {

// This file system keeps whole seconds (the default s_time_gran), and no birth.
constexpr std::int64_t granularity = 1'000'000'000;  // ns

}  // namespace

std::optional<FileFacts> queue_facts(const std::string& name, const Roots& roots) {
    if (auto facts = file_facts(roots.mqueue / name.substr(1))) {
        if (!facts->has_birth) facts->born += granularity - 1;
        return facts;
    }
    if (!is_this_machine(roots)) return std::nullopt;
    const mqd_t queue = ::mq_open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (queue == static_cast<mqd_t>(-1)) return std::nullopt;
    struct stat raw{};
    const bool known = ::fstat(queue, &raw) == 0;
    ::mq_close(queue);
    if (!known) return std::nullopt;
    FileFacts facts;
    facts.id = {raw.st_dev, raw.st_ino};
    facts.uid = raw.st_uid;
    facts.mode = raw.st_mode;
    facts.links = static_cast<std::uint32_t>(raw.st_nlink);
    facts.bytes = static_cast<std::uint64_t>(raw.st_size);
    facts.born = raw.st_ctim.tv_sec * 1'000'000'000 + raw.st_ctim.tv_nsec + granularity - 1;
    return facts;
}

}  // namespace leftover::kernel
