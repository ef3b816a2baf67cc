#include "reporter/run/pump.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace leftover::run {
namespace {

constexpr std::size_t chunk = 65'536;
constexpr int patience = 20;  // milliseconds between two looks at signals

// In the helper: no heap, plain system calls.
class Carrier {
public:
    Carrier(int in, int onward, int file, int control)
        : in_(in), onward_(onward), file_(file), control_(control) {
        struct stat facts {};
        const bool known = ::fstat(onward_, &facts) == 0;
        is_pipe_ = known && S_ISFIFO(facts.st_mode);
        is_socket_ = known && S_ISSOCK(facts.st_mode);
    }

    void run() {
        while (in_ >= 0 || control_ >= 0) {
            std::array<pollfd, 3> watched = {pollfd{in_, POLLIN, 0}, pollfd{control_, POLLIN, 0},
                                             pollfd{onward_, 0, 0}};
            if (::poll(watched.data(), watched.size(), -1) < 0) continue;
            if (watched[2].revents != 0) look_at_onward(watched[2].revents);
            if (watched[0].revents != 0 && in_ >= 0) carry();
            if (watched[1].revents != 0) obey();
        }
    }

private:
    // Moves what one read gives. False when there is nothing.
    bool carry() {
        const ssize_t size = ::read(in_, buffer_, sizeof buffer_);
        if (size < 0 && (errno == EINTR || errno == EAGAIN)) return false;
        if (size <= 0) {
            close_in();
            return false;
        }
        keep(static_cast<std::size_t>(size));
        pass_on(static_cast<std::size_t>(size));
        return true;
    }

    void keep(std::size_t size) {
        for (std::size_t done = 0; done < size;) {
            const ssize_t written = ::write(file_, buffer_ + done, size - done);
            if (written < 0 && errno == EINTR) continue;
            if (written <= 0) {
                losses_.to_file += size - done;
                losses_.file_error = errno;
                return;
            }
            done += static_cast<std::size_t>(written);
        }
    }

    void pass_on(std::size_t size) {
        for (std::size_t done = 0; done < size && onward_ >= 0;) {
            const ssize_t written = ::write(onward_, buffer_ + done, size - done);
            if (written > 0) {
                done += static_cast<std::size_t>(written);
            } else if (errno == EAGAIN) {
                pollfd ready = {onward_, POLLOUT, 0};
                ::poll(&ready, 1, -1);
            } else if (errno == EPIPE) {
                break_in();
            } else if (errno != EINTR) {
                losses_.onward += size - done;
                losses_.onward_error = errno;
                return;
            }
        }
    }

    void look_at_onward(short events) {
        const bool broken = (is_pipe_ && (events & POLLERR) != 0) ||
                            (is_socket_ && (events & (POLLERR | POLLHUP)) != 0);
        if (broken) {
            break_in();
        } else if ((events & (POLLERR | POLLHUP | POLLNVAL)) != 0) {
            close_onward();  // a terminal that is gone
        }
    }

    // Nobody reads any more: from now on the program's writes fail.
    void break_in() {
        close_onward();
        if (in_ >= 0) drain();
        close_in();
    }

    // What is in the pipe now; who goes on writing does not keep us.
    void drain() {
        int rest = 0;
        if (::ioctl(in_, FIONREAD, &rest) != 0) return;
        while (rest > 0 && in_ >= 0) {
            const ssize_t size = ::read(in_, buffer_, sizeof buffer_);
            if (size < 0 && errno == EINTR) continue;
            if (size <= 0) return;
            keep(static_cast<std::size_t>(size));
            pass_on(static_cast<std::size_t>(size));
            rest -= static_cast<int>(size);
        }
    }

    void obey() {
        char word = 0;
        const ssize_t size = ::recv(control_, &word, 1, 0);
        if (size < 0 && errno == EINTR) return;
        if (size == 1) {
            if (in_ >= 0) drain();
            if (in_ >= 0) carry();  // its end, if it is there
            close_onward();
            losses_.is_over = in_ < 0;
            ::send(control_, &losses_, sizeof losses_, MSG_NOSIGNAL);
        }
        // Else the launcher was killed, and the program lives on as if it had not been.
        ::close(control_);
        control_ = -1;
    }

    void close_in() {
        if (in_ >= 0) ::close(in_);
        in_ = -1;
    }
    void close_onward() {
        if (onward_ >= 0) ::close(onward_);
        onward_ = -1;
    }

    int in_, onward_, file_, control_;
    bool is_pipe_ = false, is_socket_ = false;
    PumpLosses losses_;
    char buffer_[chunk];
};

[[noreturn]] void fail(const char* what) {
    throw std::runtime_error(fmt::format("cannot {}: {}", what, std::strerror(errno)));
}

}  // namespace

Pump::Pump(Descriptor in, int onward, int file) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        fail("make a socket");
    }
    control_ = Descriptor(ends[0]);
    const Descriptor theirs(ends[1]);
    // The other end's mode is the program's own.
    if (::fcntl(in.get(), F_SETFL, O_NONBLOCK) != 0) fail("set up a pipe");
    HelperNeeds needs{{in.get(), onward, file, theirs.get()}, true};
    process_ = HelperProcess::start(
        [from = in.get(), onward, file, control = theirs.get()] {
            Carrier(from, onward, file, control).run();
        },
        std::move(needs));
    if (process_.pid() < 0) fail("start a process for the program's output");
}

std::optional<PumpLosses> Pump::finish(const Signals& signals) {
    const char word = 1;
    if (::send(control_.get(), &word, 1, MSG_NOSIGNAL) != 1) return std::nullopt;
    for (;;) {
        pollfd answer = {control_.get(), POLLIN, 0};
        if (::poll(&answer, 1, patience) > 0) break;
        siginfo_t signal{};
        while (wait_for_signal(signals.awaited(), signal, 0)) {
            if (is_termination(signal.si_signo)) return std::nullopt;
        }
    }
    PumpLosses losses;
    if (::recv(control_.get(), &losses, sizeof losses, 0) != sizeof losses) return std::nullopt;
    if (!losses.is_over) process_.release();
    return losses;
}

}  // namespace leftover::run
