#include "reporter/model/read_file.h"

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reporter/model/utf8.h"

namespace leftover {

namespace {

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return fd_; }

private:
    int fd_;
};

[[noreturn]] void fail(const std::string& path) {
    const int error = errno;
    throw std::runtime_error(printable(path + ": " + std::generic_category().message(error)));
}

}  // namespace

std::string read_file(const std::string& path, std::size_t most) {
    const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (file.get() < 0) fail(path);
    struct stat status{};
    if (fstat(file.get(), &status) != 0) fail(path);

    std::string text;
    // One byte more than the file has, to see its end without growing.
    std::size_t room = S_ISREG(status.st_mode) ? static_cast<std::size_t>(status.st_size) + 1 : 1 << 16;
    while (text.size() < most) {
        const std::size_t had = text.size();
        const std::size_t wanted = std::min(room, most - had);
        text.resize(had + wanted);
        const ssize_t got = read(file.get(), text.data() + had, wanted);
        if (got < 0 && errno == EINTR) {
            text.resize(had);
            continue;
        }
        if (got < 0) fail(path);
        text.resize(had + static_cast<std::size_t>(got));
        if (got == 0) break;
        room = 1 << 16;
    }
    return text;
}

}  // namespace leftover
