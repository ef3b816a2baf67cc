#include "reporter/run/capture.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include "reporter/run/message.h"

namespace leftover::run {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 2> names = {"stdout", "stderr"};

[[noreturn]] void fail(const std::string& what) {
    throw std::runtime_error(fmt::format("cannot {}: {}", what, std::strerror(errno)));
}

// Whoever started us closed it; what lies there is a placeholder of ours, which nobody inherits.
bool was_closed(int fd) {
    const int flags = ::fcntl(fd, F_GETFD);
    return flags < 0 || (flags & FD_CLOEXEC) != 0;
}

kernel::FileId id_of(int fd) {
    struct stat facts {};
    if (::fstat(fd, &facts) != 0) return {};
    return {facts.st_dev, facts.st_ino};
}

void tell(std::string_view where, std::uint64_t bytes, int error) {
    if (bytes == 0) return;
    say(fmt::format("{} bytes of the program's output could not be written to {}: {}", bytes, where,
                    std::strerror(error)));
}

}  // namespace

Capture::Capture(const std::string& folder, bool pass_on) {
    try {
        const std::string absolute = fs::absolute(folder).lexically_normal().string();
        make_folder(absolute);
        for (int fd = 1; fd <= 2; ++fd) {
            open(streams_[static_cast<std::size_t>(fd - 1)], fd, absolute, pass_on);
        }
    } catch (...) {
        discard();
        throw;
    }
}

Capture::~Capture() {
    if (!runs_) discard();
}

void Capture::make_folder(const std::string& folder) {
    std::vector<fs::path> missing;
    for (fs::path path = folder; !path.empty() && path != path.parent_path() && !fs::exists(path);
         path = path.parent_path()) {
        missing.push_back(path);
    }
    for (auto path = missing.rbegin(); path != missing.rend(); ++path) {
        if (::mkdir(path->c_str(), 0777) == 0) {
            made_.push_back(path->string());
        } else if (errno != EEXIST) {
            fail(fmt::format("make folder '{}'", path->string()));
        }
    }
}

void Capture::open(Stream& stream, int fd, const std::string& folder, bool pass_on) {
    const char* name = names[static_cast<std::size_t>(fd - 1)];
    stream.path = fmt::format("{}/{}.log", folder, name);
    struct stat facts {};
    if (::stat(stream.path.c_str(), &facts) == 0 && !S_ISREG(facts.st_mode)) {
        throw std::runtime_error(
            fmt::format("cannot write '{}': it is there and not a file", stream.path));
    }
    const std::string fresh = fmt::format("{}/.{}.log.{}", folder, name, ::getpid());
    stream.file = Descriptor(
        ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666));
    if (!stream.file.is_open()) fail(fmt::format("write '{}'", stream.path));
    stream.fresh = fresh;

    if (!pass_on || was_closed(fd)) {
        stream.program = Descriptor(::fcntl(stream.file.get(), F_DUPFD_CLOEXEC, 3));
    } else {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("make a pipe");
        Descriptor in(ends[0]);
        stream.program = Descriptor(ends[1]);
        stream.pump = std::make_unique<Pump>(std::move(in), fd, stream.file.get());
    }
    stream.id = id_of(stream.program.get());
}

void Capture::program_runs() {
    runs_ = true;
    for (Stream& stream : streams_) {
        stream.program.close();
        stream.file.close();
        if (std::rename(stream.fresh.c_str(), stream.path.c_str()) != 0) {
            say(fmt::format("the program's output is in '{}': cannot rename it to '{}': {}",
                            stream.fresh, stream.path, std::strerror(errno)));
        }
    }
}

void Capture::finish(const Signals& signals) {
    std::array<PumpLosses, 2> lost;
    for (std::size_t i = 0; i < streams_.size(); ++i) {
        if (!streams_[i].pump) continue;
        lost[i] = streams_[i].pump->finish(signals).value_or(PumpLosses{});
        streams_[i].pump.reset();
    }
    // Only now: what the program said comes before what we say.
    for (std::size_t i = 0; i < streams_.size(); ++i) {
        tell(fmt::format("'{}'", streams_[i].path), lost[i].to_file, lost[i].file_error);
        tell(i == 0 ? "standard output" : "standard error", lost[i].onward, lost[i].onward_error);
    }
}

void Capture::discard() {
    for (Stream& stream : streams_) {
        stream.pump.reset();
        if (!stream.fresh.empty()) ::unlink(stream.fresh.c_str());
    }
    for (auto folder = made_.rbegin(); folder != made_.rend(); ++folder) ::rmdir(folder->c_str());
}

}  // namespace leftover::run
