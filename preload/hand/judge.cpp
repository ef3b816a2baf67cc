#include "preload/hand/judge.h"

#include "preload/core/process.h"

namespace leftover::hand {

bool Case::is_own(const Resource& resource) const {
    if (resource.pid != identity.pid) return false;
    if (evidence.own != nullptr) return resource.record == evidence.own;
    // Without a record of our own we wrote into the one of who forked us.
    return resource.record->pid != identity.pid;
}

void judge_lasting(const Case& about) {
    judge_processes(about);
    judge_semaphores(about);
    judge_shared_memory(about);
    judge_temporary(about);
    judge_socket_files(about);
}

void judge_passing(const Case& about) {
    judge_zombies(about);
    judge_threads(about);
}

void sort_by_age(Findings& findings) {
    sort(findings.leaks, [](const Leak* one, const Leak* other) {
        if (one->created_ns != other->created_ns) return one->created_ns < other->created_ns;
        if (one->kind != other->kind) return one->kind < other->kind;
        return one->name < other->name;
    });
}

}  // namespace leftover::hand
