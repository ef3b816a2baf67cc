// Things to be done at a time, by whoever waits for something else meanwhile.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>

namespace leftover::run {

class Timers {
public:
    using Clock = std::chrono::steady_clock;
    using Id = unsigned;

    static Clock::time_point in(double seconds);

    // Whether it is worth waking up for when the program, and we with it, has been stopped.
    enum class Kind { important, idle };

    // `call` is run once, at that time or a little later, by run_due(). It may add and cancel timers.
    Id add(Clock::time_point when, std::function<void()> call, Kind kind = Kind::important);

    // One that has run or was cancelled already is no error.
    void cancel(Id id);

    // When the next important one is due; nothing when there is none.
    std::optional<Clock::time_point> next() const;

    // Runs all that are due. Returns the seconds until the next one, negative when there is none: as
    // wait_for_signal() takes them.
    double run_due();

private:
    struct Timer {
        Id id;
        std::function<void()> call;
        Kind kind;
    };
    std::multimap<Clock::time_point, Timer> timers_;
    Id last_ = 0;
};

}  // namespace leftover::run
