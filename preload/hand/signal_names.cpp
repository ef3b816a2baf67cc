#include "preload/hand/signal_names.h"

#include <signal.h>
#include <string.h>

#include "preload/core/text.h"

namespace leftover::hand {

namespace {

// The kernel's own first real-time signal is 32; the C library keeps two for itself.
constexpr int first_kernel_realtime = 32;
constexpr int first_realtime = 34;
constexpr int last_realtime = 64;

int realtime_by_name(std::string_view name) {
    const bool from_the_end = name.starts_with("RTMAX");
    if (!from_the_end && !name.starts_with("RTMIN")) return 0;
    const int base = from_the_end ? last_realtime : first_realtime;
    name.remove_prefix(5);
    if (name.empty()) return base;
    if (name.front() != (from_the_end ? '-' : '+')) return 0;
    name.remove_prefix(1);
    std::uint64_t distance = 0;
    if (name.size() > 2 || !take_number(name, distance) || !name.empty()) return 0;
    const auto steps = static_cast<int>(distance);
    const int signal = from_the_end ? base - steps : base + steps;
    return signal >= first_realtime && signal <= last_realtime ? signal : 0;
}

}  // namespace

std::string_view signal_name(int signal, char* buffer, std::size_t size) {
    Text text(buffer, size);
    if (signal >= first_realtime && signal <= last_realtime) {
        text << "SIGRTMIN";
        const int above = signal - first_realtime;
        if (above != 0) (text << '+').number(static_cast<unsigned>(above));
    } else if (const char* abbreviation = sigabbrev_np(signal)) {
        text << "SIG" << abbreviation;
    } else {
        (text << "signal ").number(static_cast<unsigned>(signal));
    }
    return text.view();
}

int signal_by_name(std::string_view name) {
    if (name.starts_with("SIG")) name.remove_prefix(3);
    for (int signal = 1; signal < first_kernel_realtime; ++signal) {
        const char* abbreviation = sigabbrev_np(signal);
        if (abbreviation != nullptr && name == abbreviation) return signal;
    }
    if (name == "IO") return SIGIO;
    return realtime_by_name(name);
}

bool can_be_handled(int signal) {
    return signal > 0 && signal < signal_limit && signal != SIGKILL && signal != SIGSTOP &&
           (signal < first_kernel_realtime || signal >= first_realtime);
}

}  // namespace leftover::hand
