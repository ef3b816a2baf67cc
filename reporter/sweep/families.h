// Who still belongs to a living program. multiprocessing keeps a pipe between each of its helpers and
// the program that started it for as long as both live: a helper that shares one with nobody but
// other such helpers has lost its program. Who its parent is now proves nothing: init, a subreaper or
// a container's first process may have adopted it, or may be its program.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "reporter/kernel/roots.h"
#include "reporter/python/command.h"

namespace leftover::sweep {

struct Pipes {
    std::set<std::uint64_t> standard;  // inodes of pipes at descriptors 0, 1 and 2
    std::set<std::uint64_t> others;    // at higher ones, and none of `standard`
};

struct Candidate {
    int pid = 0;
    python::Role role = python::Role::none;
};

// The candidates that no living program is behind. `pipes` are those of every process that can be
// looked into, candidates included; a candidate that is not in there is not called an orphan. `lost`:
// processes that keep nobody alive although they are no candidates (what dead sessions left).
std::set<int> without_program(const std::vector<Candidate>& candidates,
                              const std::map<int, Pipes>& pipes, const std::set<int>& lost);

// The pipes of one process; nothing where it may not be looked into.
std::optional<Pipes> read_pipes(int pid, const kernel::Roots& roots = {});

}  // namespace leftover::sweep
