#include "reporter/commands/progress.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "reporter/render/format.h"

namespace leftover::commands {

namespace {

constexpr auto patience = std::chrono::seconds(1);
constexpr auto pause = std::chrono::milliseconds(100);

bool can_draw() {
    const char* term = std::getenv("TERM");
    return isatty(STDERR_FILENO) != 0 && term != nullptr && std::string_view(term) != "dumb";
}

}  // namespace

Progress::Progress(std::string what, std::size_t total)
    : what_(std::move(what)), total_(total), enabled_(can_draw()), next_(Clock::now() + patience) {}

Progress::~Progress() {
    if (drawn_) fmt::print(stderr, "\r\x1b[K");
    std::fflush(stderr);
}

void Progress::step() {
    const std::lock_guard lock(mutex_);
    ++done_;
    if (!enabled_ || Clock::now() < next_) return;
    next_ = Clock::now() + pause;
    draw();
}

void Progress::draw() {
    const int columns = render::options_for(STDERR_FILENO).width;
    const std::string text = fmt::format("{} {} of {}", what_, done_, total_);
    const std::size_t room = columns > 0 ? static_cast<std::size_t>(columns) : 80;
    std::string bar;
    if (room > text.size() + 16) {
        const std::size_t width = std::min<std::size_t>(room - text.size() - 6, 40);
        const std::size_t filled = total_ == 0 ? width : std::min(width, width * done_ / total_);
        bar = fmt::format(" [{}{}]", std::string(filled, '#'), std::string(width - filled, '.'));
    }
    fmt::print(stderr, "\r{}{}\x1b[K", text, bar);
    std::fflush(stderr);
    drawn_ = true;
}

}  // namespace leftover::commands
