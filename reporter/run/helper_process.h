// A small process of the launcher's own. It has no descriptor open but those it needs, takes no signal
// but SIGKILL and SIGSTOP, and ends with the launcher unless it is to outlive it. Waiting for any child
// does not find it: it is none of the program's.
#pragma once

#include <sys/types.h>

#include <vector>

#include "reporter/kernel/process.h"

namespace leftover::run {

struct HelperNeeds {
    std::vector<int> descriptors;  // these stay open
    bool outlives = false;         // it goes on when the launcher is killed
};

class HelperProcess {
public:
    // `body` runs in the child, in a copy of this memory, and must do with plain system calls: the
    // child was not made by the C library's fork. When it returns, the process ends.
    template <class Body>
    static HelperProcess start(Body body, HelperNeeds needs = {}) {
        const pid_t pid = fork_helper(needs);
        if (pid == 0) {
            body();
            end_helper();
        }
        return HelperProcess(pid);
    }

    HelperProcess() = default;
    ~HelperProcess() { end(); }
    HelperProcess(HelperProcess&& other) noexcept;
    HelperProcess& operator=(HelperProcess&& other) noexcept;

    // -1 when it could not be made.
    pid_t pid() const { return pid_; }
    void end();

    // It goes on by itself.
    void release() { pid_ = -1; }

private:
    explicit HelperProcess(pid_t pid) : pid_(pid) {}
    static pid_t fork_helper(HelperNeeds& needs);
    [[noreturn]] static void end_helper();

    pid_t pid_ = -1;
};

// Whether a process is such a one, of whatever launcher.
bool is_helper(const kernel::ProcessStat& process);

}  // namespace leftover::run
