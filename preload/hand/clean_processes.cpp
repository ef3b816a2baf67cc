// Ending processes, by descriptors of them: what is sent to one never reaches another of the same pid.
#include <poll.h>
#include <signal.h>

#include <cerrno>

#include "preload/core/clock.h"
#include "preload/core/process.h"
#include "preload/core/sys.h"
#include "preload/core/text.h"
#include "preload/hand/clean.h"
#include "preload/hand/process_facts.h"

namespace leftover::hand {

namespace {

constexpr std::uint64_t helpers_patience = 700'000'000;  // ns, to notice that they are alone
constexpr std::uint64_t longest_death = 700'000'000;     // ns
constexpr std::uint64_t longest_poll = 20'000'000;       // ns

struct Target {
    Leak* leak;
    int process;  // a descriptor; -1: it is over
    bool helper;
    int sent;
    std::uint64_t bytes;
};

// `from multiprocessing.resource_tracker import main;main(5)`, and loky's likewise; PyTorch's manager.
bool is_tidying_helper(std::string_view command) {
    bool is_first = true;
    bool is_code = false;
    while (!command.empty()) {
        const std::string_view word(command.data(), command.find('\0') < command.size() ? command.find('\0')
                                                                                        : command.size());
        command.remove_prefix(word.size() < command.size() ? word.size() + 1 : word.size());
        if (is_first && base_name(word) == "torch_shm_manager") return true;
        if (is_code) {
            return word.starts_with("from ") && (word.find(".resource_tracker import main") != word.npos ||
                                                 word.find(".semaphore_tracker import main") != word.npos);
        }
        is_first = false;
        is_code = word == "-c";
    }
    return false;
}

long send(int process, int signal) { return sys::call(SYS_pidfd_send_signal, process, signal, 0L, 0L); }

bool is_anothers(int pid) {
    char path[32];
    Text text(path, sizeof path);
    (text << "/proc/").number(static_cast<std::uint64_t>(pid));
    struct stat facts;
    if (sys::stat(path, &facts) != 0) return false;
    return facts.st_uid != static_cast<uid_t>(sys::call(SYS_geteuid)) &&
           facts.st_uid != static_cast<uid_t>(sys::call(SYS_getuid));
}

// True when the target is held; else how that is no use is in `attempt`.
bool hold(Target& target, Attempt& attempt) {
    const Leak& leak = *target.leak;
    const long process = sys::call(SYS_pidfd_open, leak.process, 0L);
    if (sys::failed(process)) {
        attempt = process == -ESRCH ? gone() : failed("it cannot be held");
        return false;
    }
    ProcessFacts facts;
    const bool known = read_process(leak.process, facts);
    const long result = send(static_cast<int>(process), 0);
    const bool same = known && result == 0 && facts.start_ticks == leak.start_ticks && facts.is_alive();
    if (same && !is_anothers(leak.process)) {
        target.process = static_cast<int>(process);
        target.bytes = facts.resident_bytes;
        return true;
    }
    sys::close(process);
    attempt = same || result == -EPERM ? in_use("it belongs to another user") : gone();
    return false;
}

class Round {
public:
    Round(Pool& pool, Findings& findings, std::uint64_t kill_at_ns)
        : pool_(pool), findings_(findings), kill_at_(kill_at_ns) {}

    void add(Leak& leak);
    void end_all(bool helpers);

private:
    bool is_any_left(bool helpers) const;
    void finish(Target& target, const Attempt& attempt);
    void send_to(Target& target, int signal);
    void wait(std::uint64_t until);

    Pool& pool_;
    Findings& findings_;
    std::uint64_t kill_at_;
    List<Target> targets_;
};

void Round::add(Leak& leak) {
    Target target = {&leak, -1, is_tidying_helper(leak.command), 0, 0};
    Attempt attempt = {};
    if (!hold(target, attempt)) {
        enter(pool_, findings_, leak, "terminate", attempt);
    } else if (!targets_.add(pool_, target)) {
        sys::close(target.process);
    }
}

void Round::finish(Target& target, const Attempt& attempt) {
    sys::close(target.process);
    target.process = -1;
    enter(pool_, findings_, *target.leak, target.sent == SIGKILL ? "kill" : "terminate", attempt);
}

void Round::send_to(Target& target, int signal) {
    if (target.process < 0 || target.sent == signal) return;
    const long result = send(target.process, signal);
    if (result == -ESRCH) return;  // it has just ended: wait() will see
    if (result != 0) {
        finish(target, result == -EPERM ? in_use("it belongs to another user") : failed("it cannot be signalled"));
        return;
    }
    if (target.sent == SIGTERM) {
        enter(pool_, findings_, *target.leak, "terminate", failed("it did not end"), false);
    }
    target.sent = signal;
    // A stopped one would not get to it.
    if (signal == SIGTERM) send(target.process, SIGCONT);
}

// Notes who has ended by then.
void Round::wait(std::uint64_t until) {
    constexpr std::size_t most = 256;
    struct pollfd waiting[most];
    Target* who[most];
    unsigned count = 0;
    for (Target& target : targets_) {
        if (target.process < 0 || count == most) continue;
        waiting[count] = {target.process, POLLIN, 0};
        who[count++] = &target;
    }
    const std::uint64_t now = clock_ns(CLOCK_MONOTONIC);
    std::uint64_t rest = until > now ? until - now : 0;
    if (rest > longest_poll) rest = longest_poll;
    const struct timespec timeout = {0, static_cast<long>(rest)};
    if (sys::call(SYS_ppoll, waiting, count, &timeout, 0L, 0L) <= 0) return;
    for (unsigned i = 0; i < count; ++i) {
        if ((waiting[i].revents & POLLIN) == 0) continue;
        finish(*who[i], who[i]->sent == 0 ? gone() : done(who[i]->bytes));
    }
}

bool Round::is_any_left(bool helpers) const {
    for (const Target& target : targets_) {
        if (target.process >= 0 && target.helper == helpers) return true;
    }
    return false;
}

void Round::end_all(bool helpers) {
    const auto each = [&](int signal) {
        for (Target& target : targets_) {
            if (target.helper == helpers) send_to(target, signal);
        }
    };
    const std::uint64_t begin = clock_ns(CLOCK_MONOTONIC);
    // Trackers ignore TERM, and PyTorch's manager would leave its files behind.
    if (!helpers && begin < kill_at_) each(SIGTERM);
    const std::uint64_t patience_ends = helpers ? begin + helpers_patience : kill_at_;
    while (is_any_left(helpers) && clock_ns(CLOCK_MONOTONIC) < patience_ends) wait(patience_ends);
    each(SIGKILL);
    const std::uint64_t end = clock_ns(CLOCK_MONOTONIC) + longest_death;
    while (is_any_left(helpers) && clock_ns(CLOCK_MONOTONIC) < end) wait(end);
    for (Target& target : targets_) {
        if (target.process >= 0 && target.helper == helpers) finish(target, failed("it does not end"));
    }
}

}  // namespace

void end_processes(Pool& pool, Findings& findings, std::uint64_t kill_at_ns) {
    Round round(pool, findings, kill_at_ns);
    for (Leak* leak : findings.leaks) {
        if (leak->kind == Kind::process && leak->status == Status::leaked) round.add(*leak);
    }
    round.end_all(false);
    round.end_all(true);
}

}  // namespace leftover::hand
