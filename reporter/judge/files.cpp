// The kinds that are names in a file system, but for semaphores.

#include <sys/stat.h>

#include "reporter/judge/checks.h"
#include "reporter/judge/named.h"
#include "reporter/kernel/mqueue.h"

namespace leftover::judge {

namespace {

std::optional<Place> place_in_shm(const Candidate& candidate, const kernel::Roots& roots) {
    // Made by shm_open the name is `/name`, made by open or mkstemp it may be the whole path.
    std::string_view name = candidate.slot->name;
    const std::string folder = roots.shm.native() + "/";
    if (name.starts_with(folder)) name.remove_prefix(folder.size());
    const auto plain = posix_name(name);
    if (!plain) return std::nullopt;
    return Place{"/" + *plain, join(roots.shm, *plain)};
}

std::optional<Place> place_of_queue(const Candidate& candidate, const kernel::Roots& roots) {
    const auto plain = posix_name(candidate.slot->name);
    if (!plain) return std::nullopt;
    return Place{"/" + *plain, join(roots.mqueue, *plain)};
}

std::optional<Place> place_by_path(const Candidate& candidate, const kernel::Roots&) {
    const std::string& name = candidate.slot->name;
    if (name.empty() || name.find('\0') != std::string::npos) return std::nullopt;
    if (name.front() == '/') return Place{name, name};
    // The best that is known of where the process was; the inode tells whether it is right.
    if (candidate.slot->state != record::State::live) return std::nullopt;
    const std::string whole = join(candidate.record().header.cwd, name);
    if (whole.front() != '/') return std::nullopt;
    return Place{whole, whole};
}

std::optional<kernel::FileFacts> look_at_queue(const Place& place, const kernel::Roots& roots) {
    return kernel::queue_facts(place.shown, roots);
}

// Who gave it another name made it the user's own. (A directory's links are its own.)
std::optional<kernel::FileFacts> look_at_single(const Place& place, const kernel::Roots& roots) {
    auto facts = look_at_path(place, roots);
    if (facts && facts->links > 1) facts.reset();
    return facts;
}

void check(const NamedKind& kind, const Evidence& evidence, Findings& findings) {
    each_named(kind, evidence, [&](NamedLeak leak) { add_named(kind.kind, std::move(leak), findings); });
}

}  // namespace

void check_shared_memory(const Evidence& evidence, Findings& findings) {
    check({Kind::shared_memory, S_IFREG, place_in_shm, look_at_path}, evidence, findings);
}

void check_message_queues(const Evidence& evidence, Findings& findings) {
    check({Kind::message_queue, S_IFREG, place_of_queue, look_at_queue}, evidence, findings);
}

void check_temporary_files(const Evidence& evidence, Findings& findings) {
    check({Kind::temporary_file, S_IFREG, place_by_path, look_at_single}, evidence, findings);
}

void check_temporary_directories(const Evidence& evidence, Findings& findings) {
    check({Kind::temporary_directory, S_IFDIR, place_by_path, look_at_path}, evidence, findings);
}

void check_socket_files(const Evidence& evidence, Findings& findings) {
    check({Kind::socket_file, S_IFSOCK, place_by_path, look_at_single}, evidence, findings);
}

}  // namespace leftover::judge
