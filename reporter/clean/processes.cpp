#include "reporter/clean/processes.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <optional>
#include <utility>

#include "reporter/clean/helpers.h"
#include "reporter/kernel/pidfd.h"
#include "reporter/kernel/process.h"
#include "reporter/run/descriptor.h"

namespace leftover::clean {

namespace {

using Clock = std::chrono::steady_clock;
using run::Descriptor;

// How long a helper may take to notice that it is alone and to remove what it knows of.
constexpr auto helpers_patience = std::chrono::milliseconds(700);
// A KILL works at once, unless the process is in the middle of something in the kernel.
constexpr auto longest_death = std::chrono::milliseconds(700);
// So often somebody's impatience is noticed.
constexpr auto longest_poll = std::chrono::milliseconds(20);

struct Target {
    Leak* leak = nullptr;
    Descriptor process;
    bool helper = false;
    bool over = false;
    int sent = 0;  // the last signal
    std::uint64_t bytes = 0;

    const char* action() const { return sent == SIGKILL ? "kill" : "terminate"; }
};

// Whoever it was started by: it is no longer ours to end.
Outcome others() { return in_use("it belongs to another user"); }

bool belongs_to_us(int pid, const Options& options) {
    if (options.all_users) return true;
    const auto status = kernel::read_status(pid);
    return !status || status->uid == ::geteuid() || status->uid == ::getuid();
}

// The process that the leak is, held by a descriptor; or how that is known to be no use.
std::optional<Outcome> hold(Target& target, const Options& options) {
    const int pid = *target.leak->details.more->pid;
    if (pid == ::getpid()) return failed("it is this process");
    Descriptor process(kernel::pidfd_open(pid));
    if (!process.is_open() && errno == ESRCH) return gone();
    if (!process.is_open()) return failed_by_errno("pidfd_open", errno);
    const auto stat = kernel::read_stat(pid);
    // As long as it can be sent signals, nobody else has its pid: what was read was its own.
    if (!stat || kernel::pidfd_send(process.get(), 0) != 0) {
        if (stat && errno == EPERM) return others();
        return gone();
    }
    const auto& ticks = target.leak->details.more->start_ticks;
    if (!ticks || stat->start_ticks != *ticks || !kernel::is_alive(*stat)) return gone();
    if (!belongs_to_us(pid, options)) return others();
    target.bytes = stat->resident_bytes;
    target.process = std::move(process);
    return std::nullopt;
}

class Round {
public:
    Round(Clock::time_point kill_at, const Options& options, Journal& journal)
        : kill_at_(kill_at), options_(options), journal_(journal) {}

    void add(Leak* leak);
    void run();

private:
    bool is_time_to_kill() {
        hurried_ = hurried_ || (options_.hurry && options_.hurry());
        return hurried_ || Clock::now() >= kill_at_;
    }
    void send(Target& target, int signal);
    void finish(Target& target, const Outcome& outcome);
    void wait(Clock::time_point until);
    bool is_any_left(bool helpers) const;
    void end_all(bool helpers);

    Clock::time_point kill_at_;
    const Options& options_;
    Journal& journal_;
    bool hurried_ = false;
    std::vector<Target> targets_;
};

void Round::add(Leak* leak) {
    Target target;
    target.leak = leak;
    if (const auto outcome = hold(target, options_)) {
        journal_.enter(*leak, "terminate", *outcome);
        return;
    }
    target.helper = leak->details.more->command && is_tidying_helper(*leak->details.more->command);
    targets_.push_back(std::move(target));
}

void Round::finish(Target& target, const Outcome& outcome) {
    target.over = true;
    target.process.close();
    journal_.enter(*target.leak, target.action(), outcome);
}

void Round::send(Target& target, int signal) {
    if (target.over || target.sent == signal) return;
    if (kernel::pidfd_send(target.process.get(), signal) != 0) {
        if (errno == ESRCH) return;  // it has just ended: wait() will see
        const int error = errno;
        if (target.sent == 0) target.sent = signal;
        finish(target, error == EPERM ? others() : failed_by_errno("it cannot be signalled", error));
        return;
    }
    if (target.sent == SIGTERM) {
        journal_.enter_step(*target.leak, "terminate", failed("it did not end"));
    }
    target.sent = signal;
    // A stopped one would not get to it.
    if (signal == SIGTERM) kernel::pidfd_send(target.process.get(), SIGCONT);
}

// Notes who has ended by then.
void Round::wait(Clock::time_point until) {
    std::vector<pollfd> waiting;
    std::vector<Target*> who;
    for (Target& target : targets_) {
        if (target.over) continue;
        waiting.push_back({target.process.get(), POLLIN, 0});
        who.push_back(&target);
    }
    const auto rest = std::clamp<Clock::duration>(until - Clock::now(), Clock::duration::zero(),
                                                  longest_poll);
    const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(rest).count();
    if (::poll(waiting.data(), waiting.size(), static_cast<int>(milliseconds)) <= 0) return;
    for (std::size_t i = 0; i < waiting.size(); ++i) {
        if ((waiting[i].revents & POLLIN) == 0) continue;
        if (who[i]->helper) journal_.note_helper();
        Outcome outcome = who[i]->sent == 0 ? gone() : done();
        outcome.bytes = who[i]->bytes;
        finish(*who[i], outcome);
    }
}

bool Round::is_any_left(bool helpers) const {
    return std::any_of(targets_.begin(), targets_.end(), [helpers](const Target& target) {
        return !target.over && target.helper == helpers;
    });
}

void Round::end_all(bool helpers) {
    const auto each = [&](int signal) {
        for (Target& target : targets_) {
            if (target.helper == helpers) send(target, signal);
        }
    };
    const Clock::time_point patience_ends = Clock::now() + helpers_patience;
    // Trackers ignore TERM, and PyTorch's manager would leave its files behind.
    if (!helpers && !is_time_to_kill()) each(SIGTERM);
    while (is_any_left(helpers) && (helpers ? Clock::now() < patience_ends : !is_time_to_kill())) {
        wait(helpers ? patience_ends : kill_at_);
    }
    each(SIGKILL);
    const Clock::time_point end = Clock::now() + longest_death;
    while (is_any_left(helpers) && Clock::now() < end) wait(end);
    for (Target& target : targets_) {
        if (target.over || target.helper != helpers) continue;
        const auto stat = kernel::read_stat(*target.leak->details.more->pid);
        finish(target, failed(fmt::format("it does not end (state {})", stat ? stat->state : '?')));
    }
}

void Round::run() {
    end_all(false);
    end_all(true);
}

// As many processes as there are, so many descriptors.
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

void end_processes(const std::vector<Leak*>& leaks, Clock::time_point kill_at,
                   const Options& options, Journal& journal) {
    // A few stay free for looking into /proc.
    constexpr rlim_t spare = 64;
    raise_descriptor_limit();
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const rlim_t most = limit.rlim_cur > 2 * spare ? limit.rlim_cur - spare : spare;

    Round round(kill_at, options, journal);
    rlim_t taken = 0;
    for (Leak* leak : leaks) {
        if (taken++ == most) break;
        round.add(leak);
    }
    round.run();
}

}  // namespace leftover::clean
