// Rendered reports to files and descriptors.
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <ostream>
#include <sstream>
#include <stdexcept>
#include <streambuf>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reporter/model/utf8.h"
#include "reporter/render/format.h"

namespace leftover::render {

namespace {

[[noreturn]] void fail(const std::string& file, int error) {
    throw std::runtime_error(
        printable(fmt::format("cannot write {}: {}", file, std::generic_category().message(error))));
}

// A stream into a descriptor that remembers why it failed, which std::ofstream does not.
class DescriptorBuffer final : public std::streambuf {
public:
    explicit DescriptorBuffer(int fd) : fd_(fd) { setp(buffer_.data(), buffer_.data() + buffer_.size()); }

    int error() const { return error_; }

protected:
    int_type overflow(int_type character) override {
        if (sync() != 0) return traits_type::eof();
        if (!traits_type::eq_int_type(character, traits_type::eof())) {
            sputc(traits_type::to_char_type(character));
        }
        return traits_type::not_eof(character);
    }

    int sync() override {
        for (const char* at = pbase(); at < pptr() && error_ == 0;) {
            const ssize_t written = ::write(fd_, at, static_cast<std::size_t>(pptr() - at));
            if (written >= 0) {
                at += written;
            } else if (errno != EINTR) {
                error_ = errno;
            }
        }
        setp(buffer_.data(), buffer_.data() + buffer_.size());
        return error_ == 0 ? 0 : -1;
    }

private:
    int fd_;
    int error_ = 0;
    std::array<char, 1 << 16> buffer_;
};

using Content = std::function<void(std::ostream&)>;

// Writes into the descriptor; 0 or the errno of what failed.
int write_into(int fd, const Content& content) {
    DescriptorBuffer buffer(fd);
    std::ostream stream(&buffer);
    content(stream);
    stream.flush();
    return buffer.error();
}

int close_checked(int fd) {
    return close(fd) == 0 || errno == EINTR ? 0 : errno;
}

void write_directly(const std::string& file, const Content& content) {
    const int fd = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_CLOEXEC, 0666);
    if (fd < 0) fail(file, errno);
    const int writing = write_into(fd, content);
    const int closing = close_checked(fd);
    if (writing != 0 || closing != 0) fail(file, writing != 0 ? writing : closing);
}

// A symbolic link stays one: what it leads to is replaced.
std::string target_of(const std::string& file) {
    char* resolved = realpath(file.c_str(), nullptr);
    if (resolved == nullptr) return file;
    std::string target = resolved;
    std::free(resolved);
    return target;
}

// Nothing that can be blocked ends us while one of these lives.
class SignalsBlocked {
public:
    SignalsBlocked() {
        sigset_t all;
        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, &before_);
    }
    ~SignalsBlocked() { sigprocmask(SIG_SETMASK, &before_, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

private:
    sigset_t before_{};
};

// A file that is complete when it gets its name. Whoever ends us before leaves what was there, and no other
// file either.
class Replacement {
public:
    // `mode`: 0 if there is no file of that name yet.
    Replacement(std::string target, mode_t mode)
        : target_(std::move(target)), folder_(target_.substr(0, target_.rfind('/') + 1)), mode_(mode) {}

    // 0 or the errno of what failed.
    int write(const Content& content) const {
        const std::string folder = folder_.empty() ? "." : folder_;
        const int fd = open(folder.c_str(), O_WRONLY | O_TMPFILE | O_CLOEXEC, 0666);
        if (fd < 0) return has_no_nameless(errno) ? write_named(content) : errno;
        int error = fill(fd, content);
        bool linked = false;
        if (error == 0) linked = give_name(fd, error);
        if (const int closing = close_checked(fd); error == 0) error = closing;
        return error == 0 && !linked ? write_named(content) : error;
    }

private:
    static bool has_no_nameless(int error) { return error == EOPNOTSUPP || error == EISDIR || error == EINVAL; }

    // Short, so that it fits wherever the file's own name does.
    std::string temporary() const { return fmt::format("{}.leftover.{}.tmp", folder_, getpid()); }

    int fill(int fd, const Content& content) const {
        // Who may read the earlier report may read this one.
        if (mode_ != 0) static_cast<void>(fchmod(fd, mode_));
        return write_into(fd, content);
    }

    // False when this is no way to do it here; `error` is what failed otherwise.
    bool give_name(int fd, int& error) const {
        const std::string self = fmt::format("/proc/self/fd/{}", fd);
        const auto link_to = [&](const std::string& name) {
            return linkat(AT_FDCWD, self.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0;
        };
        if (link_to(target_)) return true;
        if (errno != EEXIST) return false;
        // A link replaces nothing.
        const SignalsBlocked blocked;
        const std::string name = temporary();
        if (!link_to(name)) return false;
        if (rename(name.c_str(), target_.c_str()) == 0) return true;
        error = errno;
        unlink(name.c_str());
        return true;
    }

    // Where files have a name from the beginning: it is not there for long, and nobody ends us meanwhile.
    int write_named(const Content& content) const {
        std::ostringstream text;
        content(text);
        const SignalsBlocked blocked;
        const std::string name = temporary();
        const int fd = open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd < 0) return errno;
        int error = fill(fd, [&](std::ostream& out) { out << text.view(); });
        if (const int closing = close_checked(fd); error == 0) error = closing;
        if (error == 0 && rename(name.c_str(), target_.c_str()) != 0) error = errno;
        if (error != 0) unlink(name.c_str());
        return error;
    }

    std::string target_, folder_;
    mode_t mode_;
};

}  // namespace

void write_file(const std::string& file, const Content& content) {
    if (file == "-") {
        const int error = write_into(STDOUT_FILENO, content);
        if (error != 0) fail("to standard output", error);
        return;
    }
    struct stat status{};
    const bool exists = stat(file.c_str(), &status) == 0;
    if (exists && !S_ISREG(status.st_mode)) {
        write_directly(file, content);
        return;
    }

    const Replacement replacement{exists ? target_of(file) : file, exists ? status.st_mode & 07777 : 0};
    int error = replacement.write(content);
    // A file that may be written to in a folder that may not.
    if (exists && (error == EACCES || error == EPERM || error == EROFS)) {
        write_directly(file, content);
        return;
    }
    if (error != 0) fail(file, error);
}

void write(const Report& report, const Options& options, const Output& output) {
    write_file(output.file, [&](std::ostream& out) { output.format->render(report, options, out); });
}

Options options_for(int descriptor) {
    Options options;
    if (isatty(descriptor) == 0) return options;
    const auto set = [](const char* name) {
        const char* value = std::getenv(name);
        return value != nullptr && *value != '\0' ? value : nullptr;
    };
    const char* term = set("TERM");
    const bool dumb = term == nullptr || std::string_view(term) == "dumb";
    options.colour = !dumb && set("NO_COLOR") == nullptr;
    winsize size{};
    if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) options.width = size.ws_col;
    if (const char* columns = set("COLUMNS")) {
        const long width = std::strtol(columns, nullptr, 10);
        if (width > 0 && width < INT_MAX) options.width = static_cast<int>(width);
    }
    return options;
}

}  // namespace leftover::render
