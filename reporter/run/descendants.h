// What of the session outlives its program. As a subreaper the launcher adopts every orphan of the
// tree, double forks and setsid included.
#pragma once

#include <functional>
#include <vector>

#include "reporter/run/signals.h"

namespace leftover::run {

// From now on orphaned descendants become our children. Throws std::runtime_error.
void adopt_orphans();

// True when we have children that somebody else started: what ran here before it executed us.
bool has_children();

// Waits until no descendant lives, at most so long. A TERM, INT, HUP or QUIT ends the wait, unless one of them
// sent it: a script may well end by signalling its whole group. `on_dump` is called when somebody wants to know what they do.
void wait_for_descendants(double seconds, const Signals& signals, const std::function<void()>& on_dump);

// Whether it is one of them now.
bool is_descendant(int pid);

// All processes below this one, but our helpers.
std::vector<int> live_descendants();

// The same of any process.
std::vector<int> live_descendants_of(int pid);

}  // namespace leftover::run
