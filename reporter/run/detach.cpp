#include "reporter/run/detach.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <stdexcept>

#include "reporter/commands/commands.h"
#include "reporter/run/descriptor.h"
#include "reporter/run/message.h"
#include "reporter/run/own_end.h"

namespace leftover::run {
namespace {

[[noreturn]] void fail(const char* what) {
    throw std::runtime_error(fmt::format("cannot {}: {}", what, std::strerror(errno)));
}

void leave_streams(const std::string& folder) {
    const std::string log = folder + "/leftover.log";
    const Descriptor null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    Descriptor words(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    const int out = words.is_open() ? words.get() : null.get();
    std::fflush(nullptr);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
}

[[noreturn]] void be_session(const std::function<int(const Detached&)>& session, int told,
                             pid_t parent) {
    ::setsid();
    const Descriptor null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (null.is_open()) ::dup2(null.get(), STDIN_FILENO);
    // Who gives up before the program runs gives it up altogether.
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(commands::run_trouble);
    int status = commands::run_trouble;
    try {
        status = session([told](const std::string& id, const std::string& folder) {
            ::prctl(PR_SET_PDEATHSIG, 0);
            leave_streams(folder);
            const std::string line = id + "\n";
            if (::write(told, line.data(), line.size()) < 0) return;  // nobody waits any more
            ::close(told);
        });
    } catch (const std::exception& trouble) {
        say(trouble.what());
    }
    std::fflush(nullptr);
    ::_exit(status);
}

std::string read_all(int fd) {
    std::string text;
    std::array<char, 256> buffer{};
    for (;;) {
        const ssize_t size = ::read(fd, buffer.data(), buffer.size());
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(size));
    }
}

}  // namespace

int detach(const std::function<int(const Detached&)>& session) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("make a pipe");
    Descriptor out(ends[0]);
    Descriptor in(ends[1]);
    std::fflush(nullptr);
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) fail("fork");
    if (pid == 0) {
        out.close();
        be_session(session, in.get(), parent);
    }
    in.close();
    const std::string id = read_all(out.get());
    if (!id.empty()) {
        if (std::fputs(id.c_str(), stdout) >= 0 && std::fflush(stdout) == 0) return commands::ok;
        say(fmt::format("session {} runs, but its id cannot be printed: {}",
                        id.substr(0, id.size() - 1), std::strerror(errno)));
        return commands::run_trouble;
    }
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFSIGNALED(status)) die_of(WTERMSIG(status));
    return WEXITSTATUS(status);
}

}  // namespace leftover::run
