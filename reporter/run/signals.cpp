#include "reporter/run/signals.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <ctime>

#include "reporter/run/own_end.h"

namespace leftover::run {
namespace {

std::array<char, 4096 + 256> last_words;
volatile std::sig_atomic_t last_words_size;
volatile std::sig_atomic_t asked_once;

// Whoever asks a third time does not have to wait for who reads standard error.
void end_at_second(int signal) {
    if (asked_once == 0) {
        asked_once = 1;
        return;
    }
    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;
    sigaction(signal, &standard, nullptr);
    if (last_words_size > 0) {
        const auto size = static_cast<std::size_t>(last_words_size);
        static_cast<void>(::write(STDERR_FILENO, last_words.data(), size) < 0);
    }
    die_at_once(signal);
}

}  // namespace

bool is_termination(int signal) {
    return std::find(termination_signals.begin(), termination_signals.end(), signal) !=
           termination_signals.end();
}

bool is_passed(int signal) {
    if (signal > SIGSYS && signal < SIGRTMIN) return false;  // the C library's own
    constexpr std::array others = {SIGKILL, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU,
                                   SIGCONT, SIGCHLD, SIGPIPE, SIGXFSZ};
    return signal != dump_signal() && std::find(others.begin(), others.end(), signal) == others.end();
}

Signals::Signals()
    : awaited_(),
      inherited_mask_(),
      inherited_child_action_(),
      inherited_pipe_action_(),
      inherited_size_action_() {
    sigemptyset(&awaited_);
    for (int signal = 1; signal <= SIGRTMAX; ++signal) {
        if (is_passed(signal)) sigaddset(&awaited_, signal);
    }
    for (const int signal : stop_signals) sigaddset(&awaited_, signal);
    sigaddset(&awaited_, SIGCONT);
    sigaddset(&awaited_, SIGCHLD);
    sigaddset(&awaited_, dump_signal());
    sigprocmask(SIG_BLOCK, &awaited_, &inherited_mask_);

    // Who ignores SIGCHLD never learns how its children ended.
    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &standard, &inherited_child_action_);

    // Nobody may read what we say any more; that must change neither what we clean up nor how we end.
    struct sigaction ignored {};
    ignored.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &ignored, &inherited_pipe_action_);
    sigaction(SIGXFSZ, &ignored, &inherited_size_action_);
}

void Signals::restore() const {
    sigaction(SIGCHLD, &inherited_child_action_, nullptr);
    sigaction(SIGPIPE, &inherited_pipe_action_, nullptr);
    sigaction(SIGXFSZ, &inherited_size_action_, nullptr);
    sigprocmask(SIG_SETMASK, &inherited_mask_, nullptr);
}

Signals::Unblocked::Unblocked(const Signals& signals) : blocked_() {
    sigprocmask(SIG_SETMASK, &signals.inherited_mask_, &blocked_);
}

Signals::Unblocked::~Unblocked() { sigprocmask(SIG_SETMASK, &blocked_, nullptr); }

void Signals::prepare_to_report(std::string_view words) const {
    asked_once = 0;
    last_words_size = static_cast<std::sig_atomic_t>(words.copy(last_words.data(), last_words.size()));
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : termination_signals) {
        struct sigaction inherited = {};
        struct sigaction twice = {};
        twice.sa_handler = end_at_second;
        twice.sa_flags = SA_RESTART | SA_NODEFER;
        sigaction(signal, nullptr, &inherited);
        if (inherited.sa_handler == SIG_IGN) continue;
        sigaction(signal, &twice, nullptr);
        sigaddset(&set, signal);
    }
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

void Signals::take_again() const { sigprocmask(SIG_BLOCK, &awaited_, nullptr); }

bool wait_for_signal(const sigset_t& set, siginfo_t& info, double seconds) {
    using Clock = std::chrono::steady_clock;
    const auto begin = Clock::now();
    for (;;) {
        int signal = -1;
        if (seconds < 0) {
            signal = sigwaitinfo(&set, &info);
        } else {
            const double gone = std::chrono::duration<double>(Clock::now() - begin).count();
            const double rest = seconds > gone ? seconds - gone : 0;
            struct timespec timeout {};
            timeout.tv_sec = static_cast<std::time_t>(rest);
            timeout.tv_nsec = static_cast<long>((rest - std::floor(rest)) * 1e9);
            signal = sigtimedwait(&set, &info, &timeout);
        }
        if (signal > 0) return true;
        if (errno != EINTR) return false;
    }
}

}  // namespace leftover::run
