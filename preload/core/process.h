// The shim's state for this process: what it was told, who it is, where it records.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "preload/core/fresh.h"
#include "preload/core/law.h"
#include "preload/core/thread_state.h"
#include "preload/record/format.h"

namespace leftover {

// What the environment told us. Filled once, before any hook records.
struct Options {
    bool active = false;   // there is a session to record for
    bool by_hand = false;  // nobody but us reports
    bool python = true;
    bool clean = false;    // what is left over will be cleaned up
    bool limited = false;  // the session has a limit on its processes
    std::uint32_t kinds = record::all_kinds;
    std::uint32_t depth = 64;
    pid_t launcher = 0;             // in the session's first process: its parent
    pid_t reaper = 0;               // in all others: who adopts orphans
    pid_t root_pid = 0;             // by hand: the first preloaded process
    std::uint64_t root_ticks = 0;   // and its start
    std::uint32_t held[most_held] = {};  // images of this process that handed on descriptors, see handed.h
    std::uint32_t held_count = 0;
    char session[record::session_id_size] = {};
    char folder[512] = {};          // of the session; absolute
    char library[512] = {};         // this shim; absolute
    char executable[512] = {};      // this program, after know_executable()
};

inline constexpr std::size_t max_depth = 256;

extern Options options;

// Ready for hooks to record. False before the first initialisation, in `mode=off`, once the process
// has ended its record, and when there is nowhere to record.
extern std::atomic<bool> recording;

// Does, once, what must come before the first hook does its work: binds the real functions, reads the
// options, hides our variables. Called by the constructor, and by hooks that run earlier. Not in a
// signal handler or vforked child unless already done.
void initialise();
extern std::atomic<std::uint32_t> initialised;  // 0 no, 1 under way, 2 done

// Fills in options.executable: by whoever opens a record, and not at the start, where a process's first
// look into /proc costs as much as all the rest of our constructor.
void know_executable();

// True in a process that was forked from one of ours and has not yet taken that in.
inline bool is_new_child();
// Makes this process its own: own pid, no record, nothing owned. Each hook that may be a new child's
// first does this, rather than a handler that every child would run: most exec or end soon, and what
// they touch of ours until then is copied for them page by page.
void adopt_fork();
// In a process about to fork: its child will know it as its creator.
void settle();
// Whether this process, if not a program that it executed before, has created a process or tried to.
bool has_settled();

// True in a vforked child, and in anything else that runs in this memory under another pid.
inline bool shares_parent_memory();

// True in a process that was cloned into this memory past libc, of which nobody counts. For calls that end what runs
// there: a system call.
inline bool is_uncounted_sharer();

pid_t current_tid();

// The calling thread's name, 16 bytes. Kept from call to call: prctl costs as much as all the rest of a
// hook. Raised by whatever renames threads.
const char* current_thread_name();
extern std::atomic<std::uint32_t> thread_name_epoch;

}  // namespace leftover

#include "preload/core/sys.h"

inline bool leftover::shares_parent_memory() {
    return fresh.memory_sharers.load(std::memory_order_relaxed) != 0 && sys::getpid() != identity.pid;
}

// Whether the kernel wipes `fresh` on fork; else the pid tells.
namespace leftover {
extern bool wiped_on_fork;
}

inline bool leftover::is_new_child() {
    return wiped_on_fork ? fresh.alive.load(std::memory_order_relaxed) == 0 : sys::getpid() != identity.pid;
}

inline bool leftover::is_uncounted_sharer() {
    return recording.load(std::memory_order_relaxed) && wiped_on_fork && !is_new_child() && !shares_parent_memory() &&
           sys::getpid() != identity.pid;
}
