#include "reporter/run/admission.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "reporter/kernel/text.h"
#include "reporter/run/session_file.h"
#include "reporter/run/session_folder.h"
#include "reporter/run/sessions.h"

namespace leftover::run {
namespace {

namespace fs = std::filesystem;

// Sessions whose end nobody tells us of: by hand, in another pid namespace, just being made.
constexpr int look_again = 500;  // milliseconds

[[noreturn]] void fail(const std::string& what) {
    throw std::runtime_error(fmt::format("cannot {}: {}", what, std::strerror(errno)));
}

void lock(const Descriptor& file, int how, const std::string& path) {
    while (::flock(file.get(), how) != 0) {
        if (errno != EINTR) fail(fmt::format("lock '{}'", path));
    }
}

std::vector<std::string> live_sessions(const std::string& state) {
    std::vector<std::string> live;
    std::error_code error;
    for (fs::directory_iterator each(state, error), end; !error && each != end;
         each.increment(error)) {
        const std::string folder = each->path().string();
        if (is_session_id(each->path().filename().string()) &&
            session_state(folder) != SessionState::ended) {
            live.push_back(folder);
        }
    }
    return live;
}

// Sleeps until one of them may have ended.
void wait_for_an_end(const std::vector<std::string>& sessions) {
    std::vector<Descriptor> processes;
    std::vector<pollfd> watched;
    bool all = true;
    for (const std::string& folder : sessions) {
        const auto facts = read_session_file(folder);
        const bool running = session_state(folder) == SessionState::running;
        if (!facts || !running || !has_our_pids(*facts)) {
            all = false;
            continue;
        }
        Descriptor process(
            static_cast<int>(::syscall(SYS_pidfd_open, facts->launcher.pid, 0)));
        if (!process.is_open()) return;  // it has
        watched.push_back({process.get(), POLLIN, 0});
        processes.push_back(std::move(process));
    }
    ::poll(watched.data(), watched.size(), all ? -1 : look_again);
}

// Tickets that somebody may still hold, in the order in which they were drawn.
std::vector<std::pair<std::uint64_t, std::string>> tickets(const std::string& queue) {
    std::vector<std::pair<std::uint64_t, std::string>> found;
    std::error_code error;
    for (fs::directory_iterator each(queue, error), end; !error && each != end;
         each.increment(error)) {
        const auto number = kernel::parse_number<std::uint64_t>(each->path().filename().string());
        if (number) found.emplace_back(*number, each->path().string());
    }
    std::sort(found.begin(), found.end());
    return found;
}

}  // namespace

Admission::Admission(const std::string& state_folder, unsigned most, bool wait,
                     const Signals& signals)
    : state_(state_folder),
      door_(::open(state_folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (!door_.is_open()) fail(fmt::format("open '{}'", state_folder));
    const Signals::Unblocked unblocked(signals);
    lock(door_, LOCK_EX, state_);
    if (!wait) {
        const std::size_t live = live_sessions(state_).size();
        if (live < most) return;
        throw std::runtime_error(
            fmt::format("{} session{} in '{}' live{} already (--max-sessions {}); --wait waits",
                        live, live == 1 ? "" : "s", state_, live == 1 ? "s" : "", most));
    }
    enqueue();
    for (;;) {
        lock(door_, LOCK_UN, state_);
        wait_for_turn();
        lock(door_, LOCK_EX, state_);
        const std::vector<std::string> live = live_sessions(state_);
        if (live.size() < most) return;
        lock(door_, LOCK_UN, state_);
        wait_for_an_end(live);
    }
}

Admission::~Admission() {
    if (ticket_.path.empty()) return;
    ::unlink(ticket_.path.c_str());
    ticket_.lock.close();  // wakes up the next one
    ::rmdir((state_ + "/.queue").c_str());  // if it was the last
}

// With the door locked.
void Admission::enqueue() {
    const std::string queue = state_ + "/.queue";
    if (::mkdir(queue.c_str(), 0700) != 0 && errno != EEXIST) fail(fmt::format("make '{}'", queue));
    ::chmod(queue.c_str(), 0700);
    const auto before = tickets(queue);
    const std::uint64_t number = before.empty() ? 1 : before.back().first + 1;
    const std::string path = fmt::format("{}/{:010}", queue, number);
    ticket_.lock = Descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!ticket_.lock.is_open()) fail(fmt::format("make '{}'", path));
    ticket_.path = path;
    lock(ticket_.lock, LOCK_EX | LOCK_NB, path);
}

void Admission::wait_for_turn() {
    for (;;) {
        const auto all = tickets(state_ + "/.queue");
        const auto own = std::find_if(all.begin(), all.end(), [this](const auto& ticket) {
            return ticket.second == ticket_.path;
        });
        if (own == all.begin() || own == all.end()) return;
        const std::string& before = std::prev(own)->second;
        const Descriptor other(::open(before.c_str(), O_RDONLY | O_CLOEXEC));
        if (!other.is_open()) continue;  // it has just been let in
        lock(other, LOCK_SH, before);
        // Let in, or killed: then its ticket still lies there.
        ::unlink(before.c_str());
    }
}

}  // namespace leftover::run
