// Python multiprocessing's helpers, known by the command lines that their parents gave them.
#pragma once

#include <string>
#include <vector>

namespace leftover::python {

enum class Role {
    none,
    worker,       // spawn method, and loky's
    fork_server,  // and the workers that it forks, which look the same
    tracker,      // resource tracker, semaphore tracker (3.6, 3.7), loky's
};

// What a process with these arguments is. Workers of the fork method look like their main program and
// are `none`; so is PyTorch's shared memory manager, which speaks to its clients by sockets alone and
// ends with the last of them. Known from CPython's multiprocessing/{spawn,forkserver,resource_tracker,
// semaphore_tracker}.py of 3.4 to 3.13 and loky's backend/{popen_loky_posix,resource_tracker}.py.
Role role_of(const std::vector<std::string>& command);

}  // namespace leftover::python
