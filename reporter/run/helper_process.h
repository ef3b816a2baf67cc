// A small process of the launcher's own. It has no descriptor open, takes no signal but SIGKILL and
// SIGSTOP, and ends with the launcher. Waiting for any child does not find it: it is none of the
// program's.
#pragma once

#include <sys/types.h>

namespace leftover::run {

class HelperProcess {
public:
    // `body` runs in the child, in a copy of this memory, and must do with plain system calls: the
    // child was not made by the C library's fork. When it returns, the process ends.
    template <class Body>
    static HelperProcess start(Body body) {
        const pid_t pid = fork_helper();
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

private:
    explicit HelperProcess(pid_t pid) : pid_(pid) {}
    static pid_t fork_helper();
    [[noreturn]] static void end_helper();

    pid_t pid_ = -1;
};

}  // namespace leftover::run
