// The books of open file descriptors: opened by this process, and not yet closed. Inherited and received
// ones are somebody else's. They die with the process, so that nothing is written before a call; what is
// written after it survives a kill.
//
// A descriptor has its place in the process's own record, by its number. What has none there has a slot:
// numbers far beyond all others, and, in a forked child without a record of its own, all (in the record
// that it inherited, because most such children end or execute another program before they create
// anything that is worth a file) for a while. When that record holds many already, as a server's does, whose children
// hardly ever close what they have open at their end, the child goes on like a program that was just executed
// (below), and what is left open at its end is not kept.
//
// 0, 1 and 2 are left out: every program has its standard streams, and none closes them.
//
// A program that was just executed keeps its first ones in memory: most that are so short-lived close what
// they open, and a file for each costs as much as half of such a program. They move to the record as soon
// as there is one: when anything else is created, and when they are many, have been there for a while or
// are open at the end. Only a kill before that loses them.
//
// Any context; a vforked child's descriptors are nobody's business, and its books its parent's.
#pragma once

#include <string_view>

#include "preload/core/fresh.h"
#include "preload/core/process.h"

namespace leftover {

inline bool wants_descriptors() { return (options.kinds & record::bit(record::Kind::file_descriptor)) != 0; }

// The process has opened `fd`, as `name`: a path as it was given, or what sort of thing. Only from a hook
// whose real call is over. errno kept. The caller's stack, where it has been captured already: in that record.
void note_opened(int fd, std::string_view name, const Mapping* of_stack = nullptr, record::ItemId stack = 0);
// What `fd` was noted as, in `buffer`; empty when it was not.
std::string_view name_of_descriptor(int fd, char (&buffer)[sizeof record::Descriptor::name]);

// The process is about to close `fd`: before the call, because its number may be another thread's at once.
void note_closing(int fd);
// The same for all from `first` to `last`.
void note_closing_range(unsigned first, unsigned last);

// For who opens the process's record.
void take_in_early_descriptors(Mapping& own);

// Before an exec: all that it leaves open have a place in the process's own record, which is opened for that.
// False when there are none.
bool gather_surviving_descriptors();

// Near the end: what is not open any more is forgotten, and of the rest the targets are written down.
void look_at_descriptors();

// Whether the process's own record has any that are to stay there when the process has ended. Of a child
// that wrote them into its own because its parent's would hold too many, they are not.
bool worth_keeping_descriptors();

// For hooks. Next to nothing when descriptors are not tracked.
inline void opened(int fd, std::string_view name) {
    if (fd > 2 && wants_descriptors()) note_opened(fd, name);
}
inline void closing(int fd) {
    if (__builtin_expect(fresh.descriptors_noted.load(std::memory_order_relaxed) != 0, 0)) note_closing(fd);
}

}  // namespace leftover
