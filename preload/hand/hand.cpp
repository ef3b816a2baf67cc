#include "preload/hand/hand.h"

#include <sys/resource.h>

#include "preload/core/clock.h"
#include "preload/core/environment.h"
#include "preload/core/process.h"
#include "preload/core/sys.h"
#include "preload/core/text.h"
#include "preload/hand/ending.h"
#include "preload/hand/freeze.h"
#include "preload/hand/notice.h"
#include "preload/hand/options.h"
#include "preload/hand/own_stack.h"
#include "preload/hand/report_path.h"
#include "preload/hand/session.h"
#include "preload/hand/signal_mask.h"
#include "preload/hand/signals.h"

namespace leftover::hand {

namespace {

constexpr std::uint64_t second = 1'000'000'000;
constexpr std::uint64_t poll_ns = 1'000'000;

// The thread whose turn it is to judge and report; 0: nobody's.
constinit std::atomic<pid_t> turn{0};

void pause() {
    const struct timespec step = {0, poll_ns};
    sys::call(SYS_nanosleep, &step, 0L);
}

// While another thread has its turn, waits for at most `patience_ns`.
class Turn {
public:
    explicit Turn(std::uint64_t patience_ns) {
        const pid_t self = sys::gettid();
        const std::uint64_t until = clock_ns(CLOCK_MONOTONIC) + patience_ns;
        for (;;) {
            pid_t owner = 0;
            if (turn.compare_exchange_strong(owner, self, std::memory_order_acq_rel)) {
                taken_ = true;
                return;
            }
            if (owner == self || clock_ns(CLOCK_MONOTONIC) >= until) return;
            pause();
        }
    }
    ~Turn() {
        if (taken_) turn.store(0, std::memory_order_release);
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    explicit operator bool() const { return taken_; }

private:
    bool taken_ = false;
};

// A program that ends because it has no descriptors left is one to report on: for the report it
// gets what its hard limit allows.
class MoreDescriptors {
public:
    MoreDescriptors() {
        if (sys::call(SYS_prlimit64, 0, RLIMIT_NOFILE, 0L, &before_) != 0) return;
        struct rlimit64 more = before_;
        more.rlim_cur = more.rlim_max;
        raised_ = before_.rlim_cur < before_.rlim_max &&
                  sys::call(SYS_prlimit64, 0, RLIMIT_NOFILE, &more, 0L) == 0;
    }
    ~MoreDescriptors() {
        if (raised_) sys::call(SYS_prlimit64, 0, RLIMIT_NOFILE, &before_, 0L);
    }
    MoreDescriptors(const MoreDescriptors&) = delete;
    MoreDescriptors& operator=(const MoreDescriptors&) = delete;

private:
    struct rlimit64 before_ = {};
    bool raised_ = false;
};

void run_end(void* end) { report_end(*static_cast<const End*>(end)); }
void run_dump(void*) { report_running(); }

}  // namespace

bool configure(const char* value) {
    // In all others of the session the same would be said again.
    const bool is_first = options.root_pid == 0;
    if (value != nullptr) parse_options(value, is_first);
    if (settings.help && is_first) show_help();
    options.clean = settings.mode == Mode::clean;
    return settings.mode != Mode::off;
}

bool begin_session() {
    if (!make_session()) return false;
    char value[1400];
    Text text(value, sizeof value);
    text << "1;id=" << options.session << ";root=";
    text.number(static_cast<std::uint64_t>(options.root_pid)) << '.';
    text.number(options.root_ticks) << ";depth=";
    text.number(options.depth) << ";python=" << (options.python ? '1' : '0') << ";kinds=";
    text.number(options.kinds, 16) << ";dir=" << options.folder;
    set_internal(value);
    return true;
}

void start() {
    remember_start_folder();
    install_handlers();
}

void after_fork() {
    turn.store(0, std::memory_order_relaxed);
    after_fork_handlers();
}

void at_end(record::Ending ending, int value) {
    const Turn mine(5 * second);
    if (!mine) return;
    const SignalsBlocked blocked(Arriving::drop);
    const MoreDescriptors more;
    End end = {ending, value};
    run_on_own_stack(run_end, &end);
    // Who dies of a signal does so at once.
    if (ending != record::Ending::signal) thaw_others();
}

void await_end() {
    const pid_t self = sys::gettid();
    const std::uint64_t until = clock_ns(CLOCK_MONOTONIC) + settings.grace_ns + 10 * second;
    bool waited = false;
    for (;;) {
        const pid_t owner = turn.load(std::memory_order_acquire);
        if (owner == 0 || owner == self || clock_ns(CLOCK_MONOTONIC) >= until) break;
        waited = true;
        pause();
    }
    for (int steps = 0; waited && steps < 1000; ++steps) pause();
}

void dump() {
    const Turn mine(0);
    if (!mine) return;
    const SignalsBlocked blocked(Arriving::wait);
    const MoreDescriptors more;
    run_on_own_stack(run_dump, nullptr);
}

}  // namespace leftover::hand
