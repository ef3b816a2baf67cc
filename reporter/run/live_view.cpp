#include "reporter/run/live_view.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <initializer_list>
#include <sstream>
#include <string>
#include <string_view>

#include "reporter/run/message.h"
#include "reporter/run/signals.h"

namespace leftover::run {
namespace {

constexpr double period = 1;  // seconds

// xterm's control sequences, which every terminal of today knows.
constexpr std::string_view enter = "\x1b[?1049h\x1b[?25l";  // another screen, no cursor
constexpr std::string_view leave = "\x1b[?25h\x1b[?1049l";
constexpr std::string_view home = "\x1b[H";
constexpr std::string_view clear_line = "\x1b[K";
constexpr std::string_view clear_below = "\x1b[J";

// False with errno.
bool write_out(std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

std::size_t rows_of_terminal() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) return 24;
    return size.ws_row;
}

// Over what is there, line by line: nothing is blank in between. No newline behind the last row, or all
// would move up.
std::string screen_of(std::string_view text) {
    std::string screen(home);
    const std::size_t most = rows_of_terminal();
    for (std::size_t row = 0; row < most && !text.empty(); ++row) {
        const auto end = text.find('\n');
        if (row > 0) screen += "\r\n";
        screen += text.substr(0, end);
        screen += clear_line;
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    screen += clear_below;
    return screen;
}

}  // namespace

bool watch(const Show& show) {
    sigset_t ends;
    sigemptyset(&ends);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGWINCH}) {
        sigaddset(&ends, signal);
    }
    // An ignored signal stays that, as of a job in the background; SIGWINCH is ignored by default, and is
    // kept for us only when it is not.
    struct sigaction standard {};
    standard.sa_handler = [](int) {};
    sigaction(SIGWINCH, &standard, nullptr);
    sigprocmask(SIG_BLOCK, &ends, nullptr);

    const bool terminal = ::isatty(STDOUT_FILENO) != 0;
    bool written = !terminal || write_out(enter);
    for (bool first = true; written; first = false) {
        std::ostringstream out;
        show(out, render::options_for(STDOUT_FILENO));
        const std::string text = out.str();
        if (terminal) {
            written = write_out(screen_of(text));
        } else {
            const bool is_list = !first && !text.starts_with('{');
            written = write_out(is_list ? "\n" + text : text);
        }
        siginfo_t signal{};
        if (wait_for_signal(ends, signal, period) && signal.si_signo != SIGWINCH) break;
    }
    const int error = errno;
    if (terminal) write_out(leave);
    if (written || error == EPIPE) return true;
    say(fmt::format("cannot write to standard output: {}", std::strerror(error)));
    return false;
}

}  // namespace leftover::run
