// Python multiprocessing's helpers on this machine whose program is gone, and the names in /dev/shm
// that such programs left: what no leftover session knows of.
#pragma once

#include <sys/types.h>

#include <optional>
#include <set>
#include <vector>

#include "reporter/kernel/roots.h"
#include "reporter/model/model.h"
#include "reporter/python/command.h"

namespace leftover::sweep {

struct Whose {
    std::optional<uid_t> user;  // nothing: everybody's
    // Processes that are somebody's business already: this process and its ancestors, and all of the
    // live sessions.
    std::set<int> spared;
    // What dead sessions left.
    std::set<int> lost;
};

struct Orphan {
    Leak leak;  // kind process, with its identity
    python::Role role = python::Role::none;
};

std::vector<Orphan> find_orphans(const Whose& whose, const kernel::Roots& roots = {});

// Semaphores and shared memory with a name that multiprocessing, loky or PyTorch made up, which no
// process has open or mapped but `dying` ones.
std::vector<Leak> find_names(const Whose& whose, const std::set<int>& dying,
                             const kernel::Roots& roots = {});

}  // namespace leftover::sweep
