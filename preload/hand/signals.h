// Signals that end the program by default are handled, to report first; then the process dies of
// that very signal. The program is told of none of this: the hooks in hooks/signal.cpp answer for
// us.
#pragma once

#include <signal.h>

#include "preload/core/law.h"

namespace leftover::hand {

// Where a signal of ours has its default action, installs our handler. At the start of the process.
void install_handlers();
// Gives all of them back to the default, and watches no signal any more. Any context but a vforked child.
void remove_handlers();
// In a forked child: others, where it is the first of a pid namespace or its parent was.
void after_fork_handlers();

// Whether it is one that we handle when the program does not. Any context.
bool is_watched(int signal);

// Whether an action is our handler. Any context.
bool is_ours(const struct sigaction& action);

// What the program believes the action of a signal to be that has our handler. Any context.
const struct sigaction& action_as_told(int signal);

// The program has set the action of the signal: when that is the default, our handler takes its
// place, and what the program set is kept for it to ask. Any context but a vforked child; errno
// kept.
void take_default(int signal);

// The C library's sigaction, past our hook. errno is its own.
int real_action(int signal, const struct sigaction* action, struct sigaction* old);

// Changes what the program believes of a signal that has our handler: whether it interrupts calls.
void tell_restart(int signal, bool restart);

// libc has ignored the signal for a while, as `system` does, and set it back to what it was: a program
// that compares sees libc's mark in the flags from then on. Any context but a vforked child.
void restored_by_libc(int signal);

}  // namespace leftover::hand
