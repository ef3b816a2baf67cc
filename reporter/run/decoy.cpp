#include "reporter/run/decoy.h"

#include <sys/mman.h>
#include <time.h>

#include <new>
#include <string>
#include <string_view>

#include "reporter/kernel/text.h"

namespace leftover::run {
namespace {

// Whoever signals a group goes through it process by process, and the decoy's turn may come after
// ours. It is a matter of microseconds.
constexpr int attempts = 6;
constexpr struct timespec pause_between = {0, 500'000};

bool is_pending(pid_t pid, int signal) {
    bool pending = false;
    kernel::each_line(
        kernel::read_text("/proc/" + std::to_string(pid) + "/status"), [&](std::string_view line) {
            constexpr std::string_view key = "ShdPnd:\t";
            if (!line.starts_with(key)) return;
            const auto set = kernel::parse_number<std::uint64_t>(line.substr(key.size()), 16);
            pending = set && (*set >> (signal - 1) & 1U) != 0;
        });
    return pending;
}

}  // namespace

Decoy::Decoy() {
    void* memory =
        ::mmap(nullptr, sizeof(Counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return;  // every signal counts as sent to us alone
    counts_ = new (memory) Counts{};
    process_ = HelperProcess::start([counts = counts_] {
        sigset_t all;
        sigfillset(&all);
        for (;;) {
            const int signal = sigwaitinfo(&all, nullptr);
            if (signal > 0) (*counts)[static_cast<std::size_t>(signal)].fetch_add(1);
        }
    });
}

Decoy::~Decoy() {
    process_.end();
    if (counts_ != nullptr) ::munmap(counts_, sizeof(Counts));
}

std::uint32_t Decoy::sent(int signal) const {
    const auto& count = (*counts_)[static_cast<std::size_t>(signal)];
    for (;;) {
        const std::uint32_t before = count.load();
        const bool waiting = is_pending(process_.pid(), signal);
        if (count.load() == before) return before + (waiting ? 1 : 0);
    }
}

bool Decoy::group_got(int signal) {
    if (process_.pid() <= 0) return false;
    std::uint32_t& seen = seen_[static_cast<std::size_t>(signal)];
    for (int attempt = 0; attempt < attempts; ++attempt) {
        if (attempt > 0) ::nanosleep(&pause_between, nullptr);
        if (const std::uint32_t now = sent(signal); now != seen) {
            seen = now;
            return true;
        }
    }
    return false;
}

}  // namespace leftover::run
