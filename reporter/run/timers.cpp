#include "reporter/run/timers.h"

#include <algorithm>
#include <utility>

namespace leftover::run {

Timers::Clock::time_point Timers::in(double seconds) {
    // Some user's idea of for ever must not turn round.
    constexpr double longest = 1e9;
    const std::chrono::duration<double> span(std::min(seconds, longest));
    return Clock::now() + std::chrono::duration_cast<Clock::duration>(span);
}

Timers::Id Timers::add(Clock::time_point when, std::function<void()> call, Kind kind) {
    timers_.emplace(when, Timer{++last_, std::move(call), kind});
    return last_;
}

void Timers::cancel(Id id) {
    std::erase_if(timers_, [id](const auto& entry) { return entry.second.id == id; });
}

std::optional<Timers::Clock::time_point> Timers::next() const {
    const auto first = std::find_if(timers_.begin(), timers_.end(), [](const auto& entry) {
        return entry.second.kind == Kind::important;
    });
    if (first == timers_.end()) return std::nullopt;
    return first->first;
}

double Timers::run_due() {
    while (!timers_.empty()) {
        const auto first = timers_.begin();
        const auto rest = first->first - Clock::now();
        if (rest > Clock::duration::zero()) return std::chrono::duration<double>(rest).count();
        const auto call = std::move(first->second.call);
        timers_.erase(first);
        call();
    }
    return -1;
}

}  // namespace leftover::run
