// A bar on the terminal for work that takes longer than a moment.
#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>

namespace leftover::commands {

// Shown on standard error, if that is a terminal, once the work has taken a second; redrawn ten times
// a second at most, and wiped away at the end. All functions may be called by any thread.
class Progress {
public:
    // `what` is done `total` times: "reading reports".
    Progress(std::string what, std::size_t total);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void step();

private:
    using Clock = std::chrono::steady_clock;

    void draw();

    std::string what_;
    std::size_t total_;
    bool enabled_;
    std::mutex mutex_;
    std::size_t done_ = 0;
    Clock::time_point next_;
    bool drawn_ = false;
};

}  // namespace leftover::commands
