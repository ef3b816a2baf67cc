#include "reporter/run/escort.h"

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "reporter/kernel/process.h"
#include "reporter/run/helper_process.h"

namespace leftover::run {
namespace {

constexpr long millisecond = 1'000'000;

void sleep_for(long nanoseconds) {
    const timespec time{0, nanoseconds};
    ::nanosleep(&time, nullptr);
}

bool is_stopped(pid_t pid) {
    const auto stat = kernel::read_stat(pid);
    return stat && (stat->state == 'T' || stat->state == 't');
}

// While we are stopped: somebody may continue the child alone, or kill it, and would wait for us for
// ever; or it is time for something. Tells us until we end this helper.
HelperProcess start_watcher(pid_t child, std::optional<Timers::Clock::time_point> until) {
    const pid_t self = ::getpid();
    return HelperProcess::start([child, self, until] {
        for (;;) {
            sleep_for(20 * millisecond);
            const bool due = until && Timers::Clock::now() >= *until;
            if (due || !is_stopped(child)) ::kill(self, SIGCONT);
        }
    });
}

Exit exit_of(const siginfo_t& info) {
    Exit exit;
    if (info.si_code == CLD_EXITED) {
        exit.code = info.si_status;
    } else {
        exit.signal = info.si_status;
    }
    return exit;
}

bool is_one_of(int signal, std::initializer_list<int> list) {
    return std::find(list.begin(), list.end(), signal) != list.end();
}

}  // namespace

Exit Escort::accompany(pid_t child) {
    child_ = child;
    for (;;) {
        stop_signal_ = 0;
        if (const auto exit = reap()) {
            forget_what_the_group_got();
            decoy_.end();
            return *exit;
        }
        if (stop_signal_ != 0) {
            stop_like_child(stop_signal_);
            continue;
        }
        const double rest = timers_.run_due();
        siginfo_t signal{};
        if (wait_for_signal(signals_.awaited(), signal, rest)) take(signal);
    }
}

std::optional<Exit> Escort::reap() {
    for (;;) {
        siginfo_t info{};
        if (::waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WNOHANG) != 0) {
            if (errno == EINTR) continue;
            return Exit{};  // no child at all: how it ended, nobody knows
        }
        if (info.si_pid == 0) return std::nullopt;
        if (info.si_pid != child_) continue;
        if (info.si_code == CLD_STOPPED) {
            stop_signal_ = info.si_status;
        } else if (info.si_code != CLD_TRAPPED) {
            return exit_of(info);
        }
    }
}

void Escort::take(const siginfo_t& signal) {
    if (is_passed(signal.si_signo)) {
        if (!child_has_it(signal)) ::kill(child_, signal.si_signo);
        if (on_termination_ && signal.si_code != SI_KERNEL &&
            is_termination(signal.si_signo)) {
            on_termination_(signal.si_signo);
        }
    } else if (is_one_of(signal.si_signo, stop_signals)) {
        // It decides; it may not want to stop.
        if (!child_has_it(signal)) ::kill(child_, signal.si_signo);
    } else if (signal.si_signo == dump_signal()) {
        if (on_dump_) on_dump_();
    } else if (signal.si_signo == SIGCONT && is_stopped(child_)) {
        continue_child();
    }
}

bool Escort::child_has_it(const siginfo_t& signal) {
    const int number = signal.si_signo;
    // A lost terminal tells its session's leader alone, which the program would have been in our
    // place; at once, as the program also reads the end of its input.
    const bool hung_up = signal.si_code == SI_KERNEL && number == SIGHUP;
    if (hung_up && ::getsid(0) == ::getpid()) return false;
    // A timer outlives exec, as in `perl -e 'alarm 5; exec @ARGV'`, and would have been the program's.
    if (signal.si_code == SI_KERNEL && is_one_of(number, {SIGALRM, SIGVTALRM, SIGPROF})) return false;

    const bool to_group = decoy_.group_got(signal);
    // What is typed goes to the foreground group, and to the program only if that is still its own.
    return signal.si_code == SI_KERNEL || (to_group && ::getpgid(child_) == ::getpgrp());
}

// What ended the program, or came with it, asks for nothing any more. What was sent to us alone does: it waits for
// who looks next.
void Escort::forget_what_the_group_got() {
    siginfo_t signal{};
    sigset_t kept;
    sigemptyset(&kept);
    while (wait_for_signal(signals_.awaited(), signal, 0)) {
        if (signal.si_code != SI_KERNEL && !decoy_.group_got(signal)) sigaddset(&kept, signal.si_signo);
    }
    for (const int number : termination_signals) {
        if (sigismember(&kept, number) == 1) ::kill(::getpid(), number);
    }
    if (sigismember(&kept, dump_signal()) == 1 && on_dump_) on_dump_();
}

void Escort::stop_like_child(int signal) {
    sigset_t one, old_mask, continued;
    struct sigaction standard = {};
    struct sigaction old_action = {};
    siginfo_t info{};
    standard.sa_handler = SIG_DFL;
    sigemptyset(&one);
    sigaddset(&one, signal);
    sigemptyset(&continued);
    sigaddset(&continued, SIGCONT);

    HelperProcess watcher = start_watcher(child_, timers_.next());
    if (signal != SIGSTOP) sigaction(signal, &standard, &old_action);
    wait_for_signal(continued, info, 0);  // an old one would tell nothing
    // With everything else blocked, the process stops in here.
    sigprocmask(SIG_BLOCK, nullptr, &old_mask);
    ::kill(::getpid(), signal);
    sigprocmask(SIG_UNBLOCK, &one, nullptr);
    sigprocmask(SIG_SETMASK, &old_mask, nullptr);
    if (signal != SIGSTOP) sigaction(signal, &old_action, nullptr);
    watcher.end();

    // Not every process can be stopped: pid 1 cannot, nor one of an orphaned group by the terminal.
    if (wait_for_signal(continued, info, 0) && !is_due()) continue_child();
}

bool Escort::is_due() const {
    const auto next = timers_.next();
    return next && *next <= Timers::Clock::now();
}

void Escort::continue_child() {
    // A shell continues the whole group, and the child's turn may come after ours: one is enough.
    for (int attempt = 0; attempt < 20; ++attempt) {
        if (!is_stopped(child_)) return;
        sleep_for(millisecond);
    }
    ::kill(child_, SIGCONT);
}

}  // namespace leftover::run
