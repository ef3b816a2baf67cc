// At most so many processes in the session: see record/process_limit.h.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "preload/core/law.h"
#include "preload/record/process_limit.h"

namespace leftover {

// Null where there is no limit: then none of this costs anything.
extern record::ProcessLimit* process_limit;

// Maps the session's table and sees that this process has a place in it. Once, in initialise().
void open_process_limit();

// A place for a child, taken before the call that makes it:
//
//   ChildPlace place;
//   if (place.refused()) { errno = EAGAIN; return -1; }
//   pid = real_fork();
//   pid == 0 ? place.is_mine() : place.belongs_to(pid);
//
// Any context, signal handlers and vforked children included; errno kept.
class ChildPlace {
  public:
    ChildPlace() {
        if (process_limit != nullptr) take();
    }

    bool refused() const { return refused_; }
    // In the parent; no child: -1.
    void belongs_to(pid_t pid) {
        if (process_limit != nullptr) settle(pid);
    }
    // In the child.
    void is_mine() {
        if (process_limit != nullptr) adopt();
    }
    // The child, whose number nobody learnt, is gone: what it did not take for itself is free.
    void give_back() {
        if (process_limit != nullptr) release();
    }

  private:
    void take();
    void settle(pid_t pid);
    void adopt();
    void release();

    std::uint64_t word_ = 0;
    std::uint32_t index_ = 0;
    bool refused_ = false;
};

// For vfork, which can keep nothing on its stack. False: refused, and errno is EAGAIN.
bool take_place_for_vfork();
void settle_place_of_vfork(pid_t pid);

}  // namespace leftover
