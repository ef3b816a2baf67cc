#include "preload/hand/judge.h"

#include "preload/core/proc_self.h"
#include "preload/core/process.h"

namespace leftover::hand {

bool Case::is_own(const Resource& resource) const {
    if (resource.pid != identity.pid) return false;
    if (evidence.own != nullptr && resource.kind != Kind::file_descriptor) return resource.record == evidence.own;
    if (evidence.own != nullptr && resource.record == evidence.own) return true;
    if (resource.record->pid == identity.pid) {
        // Of a program that this process executed before, or of an older process of this number.
        return resource.record->start_ticks == own_start_ticks() && (resource.flags & record::handed_on) != 0;
    }
    // Without a record of our own, and of descriptors before we had one, we wrote into the one of who forked
    // us.
    return true;
}

void judge_lasting(const Case& about) {
    judge_processes(about);
    judge_semaphores(about);
    judge_shared_memory(about);
    judge_temporary(about);
    judge_socket_files(about);
    judge_message_queues(about);
    judge_sysv(about);
}

void judge_passing(const Case& about) {
    judge_zombies(about);
    judge_threads(about);
    judge_descriptors(about);
    judge_timers(about);
}

bool is_dead(const Case& about, const Resource& resource) {
    const Record& record = *resource.record;
    if (resource.pid != record.pid) {
        // A forked child that had no record of its own wrote into its parent's.
        for (const Member* member : about.census.members()) {
            if (member->pid == resource.pid && member->alive) return false;
        }
        return true;
    }
    const Member* const writer = about.census.writer_of(record);
    return record.ending != record::Ending::running || writer == nullptr ||
           writer->last != &record || !writer->alive;
}

void sort_by_age(Findings& findings) {
    sort(findings.leaks, [](const Leak* one, const Leak* other) {
        if (one->created_ns != other->created_ns) return one->created_ns < other->created_ns;
        if (one->kind != other->kind) return one->kind < other->kind;
        return one->name < other->name;
    });
}

}  // namespace leftover::hand
