#include "reporter/run/launch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace leftover::run {
namespace {

struct Pipe {
    Descriptor out, in;

    Pipe() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
            throw std::runtime_error(fmt::format("cannot make a pipe: {}", std::strerror(errno)));
        }
        out = Descriptor(ends[0]);
        in = Descriptor(ends[1]);
    }
};

bool read_whole(int fd, void* to, std::size_t size) {
    ssize_t got = 0;
    do {
        got = ::read(fd, to, size);
    } while (got < 0 && errno == EINTR);
    return got == static_cast<ssize_t>(size);
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
    result.push_back(nullptr);
    return result;
}

// What the kernel does not know how to execute is a shell's, as for execvp.
int execute(const char* path, std::vector<char*>& arguments, const std::vector<char*>& environment,
            std::vector<char*>& shell_arguments) {
    ::execve(path, arguments.data(), environment.data());
    if (errno != ENOEXEC) return errno;
    ::execve("/bin/sh", shell_arguments.data(), environment.data());
    return errno;
}

// A placeholder of ours may lie in the way, see hold_standard_descriptors(); the copy is inherited.
void connect(const std::array<int, 3>& streams) {
    for (int fd = 0; fd < 3; ++fd) {
        const int from = streams[static_cast<std::size_t>(fd)];
        if (from >= 0) ::dup2(from, fd);
    }
}

}  // namespace

Launch::Launch(const Command& command, const Signals& signals) {
    Pipe go, failure;
    // Everything that takes memory is made before the fork.
    std::vector<char*> arguments = pointers(command.arguments);
    const std::vector<char*> environment = pointers(command.environment);
    std::vector<std::string> shell = {"/bin/sh", command.path};
    shell.insert(shell.end(), command.arguments.begin() + 1, command.arguments.end());
    std::vector<char*> shell_arguments = pointers(shell);

    pid_ = ::fork();
    if (pid_ < 0) {
        throw std::runtime_error(fmt::format("cannot fork: {}", std::strerror(errno)));
    }
    if (pid_ == 0) {
        go.in.close();
        char ready = 0;
        if (!read_whole(go.out.get(), &ready, 1)) ::_exit(0);  // the launcher is gone
        signals.restore();
        connect(command.streams);
        const int error = execute(command.path.c_str(), arguments, environment, shell_arguments);
        if (::write(failure.in.get(), &error, sizeof error) < 0) ::_exit(126);
        ::_exit(127);
    }
    go_ = std::move(go.in);
    failure_ = std::move(failure.out);
}

Launch::~Launch() {
    if (!go_.is_open()) return;
    go_.close();
    ::waitpid(pid_, nullptr, 0);
}

int Launch::start() {
    const char ready = 1;
    const bool written = ::write(go_.get(), &ready, 1) == 1;
    go_.close();
    int error = 0;
    if (!written || !read_whole(failure_.get(), &error, sizeof error)) return 0;
    ::waitpid(pid_, nullptr, 0);
    return error;
}

}  // namespace leftover::run
