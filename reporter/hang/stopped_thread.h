// A thread of another process, stopped for as long as this object lives.
//
// PTRACE_SEIZE and PTRACE_INTERRUPT: no signal is sent, a stopped process stays stopped, and a call
// that it was blocked in is begun again, as after SIGSTOP and SIGCONT.
#pragma once

#include <sys/types.h>

#include <string>

namespace leftover::hang {

class StoppedThread {
public:
    enum class Outcome {
        stopped,
        gone,     // it has ended
        traced,   // somebody else traces it
        refused,  // we may not
        stuck,    // it is in the kernel and does not come out
    };

    // Waits a fifth of a second at most.
    StoppedThread(pid_t pid, pid_t tid);
    ~StoppedThread();
    StoppedThread(const StoppedThread&) = delete;
    StoppedThread& operator=(const StoppedThread&) = delete;

    Outcome outcome() const { return outcome_; }

private:
    Outcome stop(pid_t pid);

    pid_t tid_;
    Outcome outcome_;
    int signal_ = 0;  // that it was about to get
};

// Who traces a process or thread; 0: nobody.
pid_t tracer_of(pid_t pid);

}  // namespace leftover::hang
