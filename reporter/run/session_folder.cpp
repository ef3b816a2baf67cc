#include "reporter/run/session_folder.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <exception>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <thread>

#include "preload/record/format.h"
#include "reporter/judge/judge.h"
#include "reporter/kernel/machine.h"
#include "reporter/kernel/process.h"
#include "reporter/kernel/text.h"
#include "reporter/run/no_room.h"
#include "reporter/run/session_file.h"

namespace leftover::run {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view id_bytes =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

std::uint16_t random_number() {
    std::uint16_t number = 0;
    if (::getrandom(&number, sizeof number, GRND_NONBLOCK) != sizeof number) {
        number = static_cast<std::uint16_t>(kernel::now() / 1000);
    }
    return number;
}

Descriptor open_folder(const std::string& path) {
    return Descriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

bool lock(const Descriptor& folder, int how) {
    return folder.is_open() && ::flock(folder.get(), how | LOCK_NB) == 0;
}

bool is_process(const ProcessId& id) {
    const auto stat = kernel::read_stat(id.pid);
    return stat && stat->start_ticks == id.start_ticks && kernel::is_alive(*stat);
}

// Who only looks whether a session lives has the lock for a moment, too.
bool lock_for_good(const Descriptor& folder, const std::string& path) {
    for (int attempt = 0; !lock(folder, LOCK_EX); ++attempt) {
        const auto file = read_session_file(path);
        if (attempt == 50 || !file || is_process(file->launcher)) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
}

bool any_process_lives(const std::string& folder) {
    const auto file = read_session_file(folder);
    if (file && file->boot_id != kernel::boot_id()) return false;
    if (file && is_process(file->program)) return true;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
        const auto process = recorder(entry->path());
        if (process && is_process(*process)) return true;
    }
    return false;
}

// Nothing that this session's records tell of is there any more.
bool nothing_is_left(const std::string& folder) {
    if (fs::exists(folder + "/nested")) return false;
    try {
        const Report report = judge_folder(folder);
        return report.sessions.front().complete &&
               std::none_of(report.leaks.begin(), report.leaks.end(),
                            [](const Leak& leak) { return leak.severity == Severity::error; });
    } catch (const std::exception&) {
        return fs::is_empty(folder);
    }
}

// Like rename, but never onto something.
bool rename_new(const std::string& from, const std::string& to) {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
        return true;
    }
    // Some file systems cannot do that. Onto a folder, rename() succeeds only if it is empty, and no
    // session's is for long.
    return errno == EINVAL && std::rename(from.c_str(), to.c_str()) == 0;
}

// The records of a dead session tell what it left over; while anything is, they stay under another
// name.
void move_aside(const std::string& folder) {
    if (nothing_is_left(folder)) {
        std::error_code error;
        fs::remove_all(folder, error);
        if (!error) return;
    }
    for (int number = 1; number < 10'000; ++number) {
        if (rename_new(folder, fmt::format("{}.{}", folder, number))) return;
        if (errno != EEXIST && errno != ENOTEMPTY) break;
    }
    throw std::runtime_error(
        fmt::format("cannot move '{}' aside: {}", folder, std::strerror(errno)));
}

// Makes way for a session of this name.
void clear_name(const std::string& folder, const std::string& id) {
    const Descriptor old = open_folder(folder);
    if (!old.is_open() && errno == ENOENT) return;  // it has just gone
    if (!lock_for_good(old, folder) || any_process_lives(folder)) {
        throw std::runtime_error(fmt::format("a session named '{}' is running", id));
    }
    move_aside(folder);
}

}  // namespace

std::optional<ProcessId> recorder(const fs::path& file) {
    if (file.extension() != ".record") return std::nullopt;
    const std::string name = file.stem().string();
    const auto first = name.find('-');
    const auto second = name.find('-', first + 1);
    if (first == std::string::npos || second == std::string::npos) return std::nullopt;
    const std::string_view text = name;
    const auto pid = kernel::parse_number<int>(text.substr(0, first));
    const auto ticks =
        kernel::parse_number<std::uint64_t>(text.substr(first + 1, second - first - 1));
    if (!pid || !ticks) return std::nullopt;
    return ProcessId{*pid, *ticks};
}

bool is_session_id(std::string_view text) {
    return !text.empty() && text.size() < record::session_id_size &&
           letters.find(text.front()) != std::string_view::npos &&
           text.find_first_not_of(id_bytes) == std::string_view::npos;
}

std::string make_session_id() {
    const std::time_t now = std::time(nullptr);
    return fmt::format("s{:%Y%m%d-%H%M%S}-{}-{:04x}", fmt::gmtime(now), ::getpid(),
                       random_number());
}

bool session_lives(const std::string& folder) {
    const Descriptor open = open_folder(folder);
    if (!open.is_open()) return false;
    return !lock(open, LOCK_SH) || any_process_lives(folder);
}

bool remove_if_finished(const std::string& folder) {
    const Descriptor open = open_folder(folder);
    if (!open.is_open()) return errno == ENOENT;
    return lock(open, LOCK_EX) && remove_if_finished(folder, open);
}

bool remove_if_finished(const std::string& folder, const Descriptor&) {
    std::error_code error;
    // By hand the session's own first process removes it.
    if (!fs::exists(folder, error)) return !error;
    if (any_process_lives(folder) || !nothing_is_left(folder)) return false;
    fs::remove_all(folder, error);
    return !error;
}

std::optional<Descriptor> lock_dead_session(const std::string& folder) {
    Descriptor open = open_folder(folder);
    if (!open.is_open() || !lock_for_good(open, folder)) return std::nullopt;
    return open;
}

SessionState session_state(const std::string& folder) {
    {
        const Descriptor open = open_folder(folder);
        if (!open.is_open()) return SessionState::ended;
        if (!lock(open, LOCK_SH)) return SessionState::running;
    }
    const auto file = read_session_file(folder);
    // What outlives a session that was reported on is left over from it.
    if (file && file->ended) return SessionState::ended;
    return any_process_lives(folder) ? SessionState::unsupervised : SessionState::ended;
}

SessionFolder SessionFolder::create(const std::string& state_folder, std::string id) {
    const bool named = !id.empty();
    // The folder is made and locked under another name first: nobody ever sees it without its lock.
    const std::string fresh =
        fmt::format("{}/.new-{}-{:04x}", state_folder, ::getpid(), random_number());
    const auto fail = [](const std::string& what) { fail_to(what, errno); };
    if (::mkdir(fresh.c_str(), 0700) != 0 || ::chmod(fresh.c_str(), 0700) != 0) {
        fail(fmt::format("make a folder in '{}'", state_folder));
    }
    try {
        Descriptor folder = open_folder(fresh);
        if (!lock(folder, LOCK_EX)) fail(fmt::format("lock '{}'", fresh));
        for (int attempt = 0; attempt < 100; ++attempt) {
            if (!named) id = make_session_id();
            std::string path = state_folder + "/" + id;
            if (rename_new(fresh, path)) return {id, std::move(path), std::move(folder)};
            if (errno != EEXIST && errno != ENOTEMPTY) fail(fmt::format("make '{}'", path));
            if (named) clear_name(path, id);
        }
        throw std::runtime_error(fmt::format("cannot make a folder for session '{}'", id));
    } catch (...) {
        ::rmdir(fresh.c_str());
        throw;
    }
}

void SessionFolder::check_room(std::size_t bytes) const {
    const std::string path = path_ + "/.room";
    const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file.is_open()) fail_to(fmt::format("write to '{}'", path_), errno);
    ::unlink(path.c_str());
    const std::string block(65536, '\0');
    for (std::size_t done = 0; done < bytes;) {
        const ssize_t written = ::write(file.get(), block.data(), std::min(block.size(), bytes - done));
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) fail_to(fmt::format("write to '{}'", path_), written < 0 ? errno : ENOSPC);
        done += static_cast<std::size_t>(written);
    }
}

std::uint64_t SessionFolder::room() const {
    struct statvfs facts {};
    if (::statvfs(path_.c_str(), &facts) != 0 || facts.f_blocks == 0) return UINT64_MAX;
    return std::uint64_t{facts.f_bavail} * facts.f_frsize;
}

void SessionFolder::remove() {
    std::error_code error;
    fs::remove_all(path_, error);
}

NestedEntry::NestedEntry(const std::string& outer, const SessionFolder& session) {
    struct stat status {};
    if (outer.empty() || ::stat(outer.c_str(), &status) != 0 || status.st_uid != ::geteuid())
        return;
    const std::string folder = outer + "/nested";
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return;
    const std::string link = folder + "/" + session.id();
    if (::symlink(session.path().c_str(), link.c_str()) == 0) link_ = link;
}

void NestedEntry::remove() {
    if (link_.empty()) return;
    ::unlink(link_.c_str());
    ::rmdir(fs::path(link_).parent_path().c_str());  // if it was the last
}

}  // namespace leftover::run
