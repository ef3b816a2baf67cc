#include "reporter/run/decoy.h"

#include <sys/mman.h>
#include <time.h>

#include <algorithm>
#include <new>
#include <string>
#include <string_view>

#include "reporter/kernel/text.h"
#include "reporter/run/descendants.h"
#include "reporter/run/signals.h"

namespace leftover::run {
namespace {

// Whoever signals a group goes through it process by process, and the decoy's turn may come after
// ours. It is a matter of microseconds.
constexpr int attempts = 6;
constexpr struct timespec pause_between = {0, 500'000};

constexpr int most_in_a_row = 1000;

// It may have taken one and not have counted it yet: on a busy machine that lasts as long as others are at work.
constexpr int attempts_while_it_runs = 5000;

struct Look {
    bool waits = false;    // a signal, to be taken
    bool is_idle = true;  // has counted all that it took, and takes nothing now
};

Look look_at(pid_t pid, int signal) {
    Look look;
    char letter = 'X';
    kernel::each_line(
        kernel::read_text("/proc/" + std::to_string(pid) + "/status"), [&](std::string_view line) {
            constexpr std::string_view state = "State:\t";
            constexpr std::string_view pending = "ShdPnd:\t";
            if (line.starts_with(state)) letter = line[state.size()];
            if (!line.starts_with(pending)) return;
            const auto set = kernel::parse_number<std::uint64_t>(line.substr(pending.size()), 16);
            look.waits = set && (*set >> (signal - 1) & 1U) != 0;
        });
    look.is_idle = letter != 'R' && !(letter == 'S' && look.waits);
    return look;
}

}  // namespace

Decoy::Decoy() {
    void* memory =
        ::mmap(nullptr, sizeof(Book), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return;  // every signal counts as sent to us alone
    book_ = new (memory) Book{};
    process_ = HelperProcess::start([book = book_] {
        sigset_t all;
        sigfillset(&all);
        for (;;) {
            siginfo_t info{};
            const int signal = sigwaitinfo(&all, &info);
            if (signal <= 0) continue;
            Got& got = (*book)[static_cast<std::size_t>(signal)];
            got.senders[got.count.load() % got.senders.size()].store(info.si_pid);
            got.count.fetch_add(1);
        }
    });
}

Decoy::~Decoy() {
    process_.end();
    if (book_ != nullptr) ::munmap(book_, sizeof(Book));
}

std::uint32_t Decoy::sent(int signal, bool* busy) const {
    const auto& count = (*book_)[static_cast<std::size_t>(signal)].count;
    for (int attempt = 0;; ++attempt) {
        const std::uint32_t before = count.load();
        const Look look = look_at(process_.pid(), signal);
        if (count.load() != before) continue;
        if (look.is_idle || attempt > attempts_while_it_runs) return before + (look.waits ? 1 : 0);
        if (busy != nullptr) *busy = true;
        ::nanosleep(&pause_between, nullptr);
    }
}

bool Decoy::got_from(int signal, pid_t sender) const {
    const Got& got = (*book_)[static_cast<std::size_t>(signal)];
    return look_at(process_.pid(), signal).waits ||
           std::any_of(got.senders.begin(), got.senders.end(),
                       [&](const std::atomic<pid_t>& each) { return each.load() == sender; });
}

// Several in a row may have become one for us, or the others are still on their way; or they became one for the
// decoy, while it had not got round to it.
void Decoy::take_the_rest(int signal, std::uint32_t ours, bool busy) {
    std::uint32_t& seen = seen_[static_cast<std::size_t>(signal)];
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, signal);
    siginfo_t info{};
    if (busy && wait_for_signal(one, info, 0) && ours != seen) ++ours;
    for (int attempt = 0, patience = most_in_a_row; attempt < attempts && patience > 0; ++attempt, --patience) {
        if (attempt > 0) ::nanosleep(&pause_between, nullptr);
        if (const std::uint32_t now = sent(signal); now != seen) {
            seen = now;
            attempt = 0;
        }
        while (ours != seen && wait_for_signal(one, info, 0)) {
            ++ours;
            attempt = 0;
        }
        if (ours == seen) return;
    }
}

bool Decoy::group_got(const siginfo_t& info) {
    if (process_.pid() <= 0) return false;
    const int signal = info.si_signo;
    std::uint32_t& seen = seen_[static_cast<std::size_t>(signal)];
    for (int attempt = 0; attempt < attempts; ++attempt) {
        if (attempt > 0) ::nanosleep(&pause_between, nullptr);
        bool busy = false;
        if (const std::uint32_t now = sent(signal, &busy); now != seen) {
            const std::uint32_t ours = seen + 1;
            if (signal >= SIGRTMIN) {
                seen = ours;  // each one is queued
            } else {
                seen = now;
                take_the_rest(signal, ours, busy);
            }
            return true;
        }
    }
    return info.si_pid > 0 && got_from(signal, info.si_pid) && is_descendant(info.si_pid);
}

}  // namespace leftover::run
