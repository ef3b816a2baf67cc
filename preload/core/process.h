// The shim's state for this process: what it was told, who it is, where it records.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "preload/core/law.h"
#include "preload/core/thread_state.h"
#include "preload/record/format.h"

namespace leftover {

// What the environment told us. Filled once, before any hook records.
struct Options {
    bool active = false;   // there is a session to record for
    bool by_hand = false;  // nobody but us reports
    bool python = true;
    std::uint32_t kinds = record::all_kinds;
    std::uint32_t depth = 64;
    pid_t launcher = 0;             // whose child the session's first process is
    pid_t root_pid = 0;             // by hand: the first preloaded process
    std::uint64_t root_ticks = 0;   // and its start
    char session[record::session_id_size] = {};
    char folder[512] = {};          // of the session; absolute
    char library[512] = {};         // this shim; absolute
    char executable[512] = {};      // this program
};

inline constexpr std::size_t max_depth = 256;

extern Options options;

struct Identity {
    pid_t pid = 0;
    pid_t ppid = 0;                // the creator
    std::uint32_t generation = 1;  // one more in each forked child
    bool no_unwind = false;        // forked while another thread may have been unwinding
    record::SlotId slot = 0;       // in the inherited record: the slot in which the parent wrote us down
};

extern Identity identity;

// Ready for hooks to record. False before the first initialisation, in `mode=off`, once the process
// has ended its record, and when there is nowhere to record.
extern std::atomic<bool> recording;

// vforked children (and others sharing our memory) under way; while it is 0 no hook needs to ask who
// it runs in.
extern std::atomic<std::uint32_t> memory_sharers;

// Does, once, what must come before the first hook does its work: binds the real functions, reads the
// options, hides our variables. Called by the constructor, and by hooks that run earlier. Not in a
// signal handler or vforked child unless already done.
void initialise();
extern std::atomic<std::uint32_t> initialised;  // 0 no, 1 under way, 2 done

// True in a process that was forked from one of ours and has not yet taken that in.
bool is_new_child();
// Makes this process its own: own pid, no record, nothing owned. `through_atfork`: libc's fork ran our
// handlers, so the unwinder's locks are sound.
void adopt_fork(bool through_atfork);

// True in a vforked child, and in anything else that runs in this memory under another pid.
inline bool shares_parent_memory();

pid_t current_tid();

}  // namespace leftover

#include "preload/core/sys.h"

inline bool leftover::shares_parent_memory() {
    return memory_sharers.load(std::memory_order_relaxed) != 0 && sys::getpid() != identity.pid;
}
