#include "reporter/hang/stopped_thread.h"

#include <fmt/format.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

#include <cerrno>
#include <chrono>

#include "reporter/kernel/text.h"

namespace leftover::hang {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds patience{200};
constexpr int event_shift = 8;
constexpr int event_stop = 128;  // PTRACE_EVENT_STOP, of the kernel's ptrace.h

// The thread's letter in /proc; 0 when it is gone.
char state_of(pid_t pid, pid_t tid) {
    const std::string text = kernel::read_text(fmt::format("/proc/{}/task/{}/stat", pid, tid));
    const auto close = text.rfind(')');
    return close == std::string::npos || close + 2 >= text.size() ? '\0' : text[close + 2];
}

void nap() {
    const timespec time{0, 30'000};
    ::nanosleep(&time, nullptr);
}

}  // namespace

pid_t tracer_of(pid_t pid) {
    pid_t tracer = 0;
    const std::string text = kernel::read_text(fmt::format("/proc/{}/status", pid));
    kernel::each_line(text, [&](std::string_view line) {
        const auto words = kernel::split_words(line);
        if (words.size() == 2 && words[0] == "TracerPid:") {
            tracer = kernel::parse_number<pid_t>(words[1]).value_or(0);
        }
    });
    return tracer;
}

StoppedThread::StoppedThread(pid_t pid, pid_t tid) : tid_(tid), outcome_(stop(pid)) {}

StoppedThread::~StoppedThread() {
    // One that is stuck or gone is let go of when this thread of ours ends.
    if (outcome_ == Outcome::stopped) ::ptrace(PTRACE_DETACH, tid_, nullptr, signal_);
}

StoppedThread::Outcome StoppedThread::stop(pid_t pid) {
    if (::ptrace(PTRACE_SEIZE, tid_, nullptr, nullptr) != 0) {
        if (errno == ESRCH) return Outcome::gone;
        if (tracer_of(tid_) != 0) return Outcome::traced;
        const char state = state_of(pid, tid_);
        return state == '\0' || state == 'Z' || state == 'X' ? Outcome::gone : Outcome::refused;
    }
    if (::ptrace(PTRACE_INTERRUPT, tid_, nullptr, nullptr) != 0) return Outcome::gone;

    const auto begin = Clock::now();
    for (;;) {
        // Without WEXITED: how it ended is its parent's to know, which may be us.
        siginfo_t info{};
        if (::waitid(P_PID, static_cast<id_t>(tid_), &info, WSTOPPED | WNOHANG | __WALL) != 0) {
            if (errno == EINTR) continue;
            return Outcome::gone;
        }
        if (info.si_pid != 0) {
            // Any stop will do. A signal that it was about to get is passed on.
            if (info.si_status >> event_shift != event_stop) {
                signal_ = info.si_status & ((1 << event_shift) - 1);
            }
            return Outcome::stopped;
        }
        const auto waited = Clock::now() - begin;
        if (waited > patience) return Outcome::stuck;
        if (waited > std::chrono::milliseconds(2)) {
            const char state = state_of(pid, tid_);
            if (state == '\0' || state == 'Z' || state == 'X') return Outcome::gone;
        }
        nap();
    }
}

}  // namespace leftover::hang
