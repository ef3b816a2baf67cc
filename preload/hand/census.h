// Every process of the session, from the records that processes wrote and the slots in which their
// creators wrote them down; and which of them live. Any context; lives in the evidence's pool.
//
// Processes of other pid namespaces are listed, but whether they live is not known: their numbers
// mean something else here. They count as alive until their record says that they ended.
#pragma once

#include <cstdint>

#include "preload/core/law.h"
#include "preload/hand/evidence.h"
#include "preload/hand/process_facts.h"

namespace leftover::hand {

struct Member {
    Member* next_same_pid;
    int pid;
    bool foreign;  // of another pid namespace
    bool is_root;
    bool is_self;
    bool alive;                          // and `now` is what /proc says
    std::uint64_t ticks_from, ticks_to;  // it started between these
    const Record* first;                 // its images, oldest and newest; null: it wrote none
    const Record* last;
    const Resource* creation;  // the slot its creator wrote
    Counts counts[record::kind_count];
    ProcessFacts now;

    // Its own record says that it ended.
    bool says_ended() const {
        return last != nullptr &&
               (last->ending == record::Ending::code || last->ending == record::Ending::signal);
    }
};

class Census {
public:
    explicit Census(Evidence& evidence);

    const List<Member*>& members() const { return members_; }
    // This process; null when nothing is written of it.
    const Member* self() const { return self_; }
    const Member* root() const { return root_; }
    // The process that wrote this record.
    const Member* writer_of(const Record& record) const;

private:
    Member* find(int pid, bool foreign, std::uint64_t from, std::uint64_t to) const;
    Member* enter(int pid, bool foreign, std::uint64_t from, std::uint64_t to);
    void add_record(const Record& record);
    void add_slot(const Resource& resource);
    void adopt(Member& member);
    void look_up(Member& member) const;
    bool is_foreign(const Record& record) const;

    Evidence& evidence_;
    List<Member*> members_;
    List<const Resource*> unfinished_;  // slots of forks that did not come back
    Table by_pid_;                      // to 1 + the newest of that pid
    std::uint64_t own_namespace_ = 0;
    const Member* self_ = nullptr;
    const Member* root_ = nullptr;
};

}  // namespace leftover::hand
