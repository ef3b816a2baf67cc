// Which of what is written down is left over: the same rules as the tool's own (reporter/judge),
// and the kernel has the last word. Any context.
//
// A new kind is a function of its own, called where those of its sort are called.
#pragma once

#include "preload/core/law.h"
#include "preload/hand/census.h"
#include "preload/hand/evidence.h"
#include "preload/hand/findings.h"

namespace leftover::hand {

struct Case {
    Evidence& evidence;
    const Census& census;
    Findings& findings;
    bool own_only = false;  // only what this process made; else the session's

    // Made by this process since its last exec, or handed on by that.
    bool is_own(const Resource& resource) const;
    Pool& pool() const { return evidence.pool; }
    template <class Visit>
    void each(Kind kind, Visit visit) const;
};

// What outlives the processes that made it.
void judge_lasting(const Case& about);
// What dies with this process.
void judge_passing(const Case& about);

// The kinds, one by one.
void judge_processes(const Case& about);
void judge_semaphores(const Case& about);
void judge_shared_memory(const Case& about);
void judge_zombies(const Case& about);
void judge_temporary(const Case& about);  // files and directories
void judge_socket_files(const Case& about);
void judge_message_queues(const Case& about);
void judge_sysv(const Case& about);
void judge_threads(const Case& about);
void judge_descriptors(const Case& about);
void judge_timers(const Case& about);

// Whether the program image that wrote the slot is gone, so that what it was at will not go on.
bool is_dead(const Case& about, const Resource& resource);

// In the order of their creation.
void sort_by_age(Findings& findings);

template <class Visit>
void Case::each(Kind kind, Visit visit) const {
    for (const Record* record : evidence.records) {
        for (Resource* resource : record->resources) {
            if (resource->kind == kind && (!own_only || is_own(*resource))) visit(*resource);
        }
    }
}

}  // namespace leftover::hand
