// The signals of this process: as it inherited them, for the program, and as the launcher needs them.
#pragma once

#include <csignal>
#include <initializer_list>
#include <string_view>

namespace leftover::run {

inline constexpr std::initializer_list<int> termination_signals = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};
inline constexpr std::initializer_list<int> stop_signals = {SIGTSTP, SIGTTIN, SIGTTOU};

bool is_termination(int signal);

// Passed on to the program when somebody sends it to leftover: whatever may have been meant for the program, or
// was sent to the whole group, which the program may well survive. Not what stops, continues, or tells of children.
bool is_passed(int signal);

// Asks a launcher for what dump_request.h has to tell; nobody else sends it.
inline int dump_signal() { return SIGRTMIN + 5; }

// Blocks all that the launcher waits for, so that it takes them one by one with sigtimedwait and no
// handler is needed. Blocked signals reach even a process that ignores them, and even pid 1. SIGPIPE and
// SIGXFSZ, which are about what leftover itself writes, never end it.
class Signals {
public:
    Signals();

    const sigset_t& awaited() const { return awaited_; }

    // In the child, before exec: masks and dispositions as leftover got them.
    void restore() const;

    // As leftover got them, for as long as one of these lives: nothing of the session is there yet, and
    // a signal may do to us what it does.
    class Unblocked {
    public:
        explicit Unblocked(const Signals& signals);
        ~Unblocked();
        Unblocked(const Unblocked&) = delete;
        Unblocked& operator=(const Unblocked&) = delete;

    private:
        sigset_t blocked_;
    };

    // When the program has ended: of TERM, INT, HUP and QUIT the first one from now on has no effect,
    // the report is nearly there; the second one ends leftover at once, after `last_words`, a line to be
    // written to standard error as it is, at most some 4 KiB (empty: none).
    void prepare_to_report(std::string_view last_words) const;

    // Takes signals one by one again, as before prepare_to_report().
    void take_again() const;

private:
    sigset_t awaited_;
    sigset_t inherited_mask_;
    struct sigaction inherited_child_action_;
    struct sigaction inherited_pipe_action_;
    struct sigaction inherited_size_action_;
};

// Waits for one of `set`, at most so long (negative: for ever). False when none came.
bool wait_for_signal(const sigset_t& set, siginfo_t& info, double seconds = -1);

}  // namespace leftover::run
