// The books of a process about to be created, shared by all calls that create one.
#pragma once

#include <sys/types.h>

#include <string_view>

#include "preload/core/hook.h"
#include "preload/core/slots.h"

namespace leftover {

// What a child's slot is written for.
inline constexpr std::uint32_t child_kinds = record::bit(Kind::process) | record::bit(Kind::zombie);

// A slot for the child, written before the call as an intent, with the stack. The child, which inherits
// thread_state, finds it there. Empty when children are not recorded.
SlotRef intend_child();
// In the parent: the child is `pid`, or, negative, there is none. `interrupted` was thread_state.child_slot before:
// that of a child whose creation a signal handler, in which we are, interrupted; it may be 0.
void child_created(const SlotRef& slot, pid_t pid, record::SlotId interrupted);

// In any process, a vforked child included: the slot in which our creator wrote us down, to say there
// what we are about to execute.
class ExecNote {
  public:
    ExecNote(const char* path, bool instrumented, unsigned reason);
    // Which records hold descriptors that the program is handed; lives as long as this.
    std::string_view held() const { return held_; }
    // The exec failed: as it was.
    void take_back();

  private:
    SlotRef slot_;
    bool own_image_ = false;
    bool hands_on_ = false;
    char held_[256] = {};
    unsigned char flags_before_ = 0;
};

// A child was waited for.
void child_ended(pid_t pid, int status);

}  // namespace leftover
