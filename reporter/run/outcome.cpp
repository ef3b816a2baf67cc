#include "reporter/run/outcome.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "reporter/model/names.h"
#include "reporter/run/no_room.h"

namespace leftover::run {
namespace {

constexpr const char* name = "/outcome";
constexpr std::size_t most_bytes = 4096;
constexpr timespec pause_between = {0, 10'000'000};

}  // namespace

OutcomeFile OutcomeFile::create(const std::string& folder) {
    const std::string path = folder + name;
    Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file.is_open() || ::fchmod(file.get(), 0600) != 0 ||
        ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        fail_to(fmt::format("make '{}'", path), errno);
    }
    return OutcomeFile(std::move(file));
}

std::optional<OutcomeFile> OutcomeFile::open(const std::string& folder) {
    const std::string path = folder + name;
    Descriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!file.is_open()) return std::nullopt;
    return OutcomeFile(std::move(file));
}

void OutcomeFile::write(const Outcome& outcome) const {
    nlohmann::ordered_json json;
    if (outcome.exit.code) json["code"] = *outcome.exit.code;
    if (outcome.exit.signal) json["signal"] = signal_name(*outcome.exit.signal);
    json["left"] = outcome.left;
    const std::string text = json.dump() + "\n";
    // A disk that is full leaves those who wait without an answer, and 125 is what they are told.
    if (::pwrite(file_.get(), text.data(), text.size(), 0) < 0) return;
}

void OutcomeFile::wait() const {
    while (::flock(file_.get(), LOCK_SH) != 0 && errno == EINTR) {
    }
    ::flock(file_.get(), LOCK_UN);
}

bool OutcomeFile::wait_for(double seconds) const {
    using Clock = std::chrono::steady_clock;
    const auto begin = Clock::now();
    while (::flock(file_.get(), LOCK_SH | LOCK_NB) != 0) {
        if (std::chrono::duration<double>(Clock::now() - begin).count() >= seconds) return false;
        ::nanosleep(&pause_between, nullptr);
    }
    ::flock(file_.get(), LOCK_UN);
    return true;
}

std::optional<Outcome> OutcomeFile::read() const {
    std::string text(most_bytes, '\0');
    const ssize_t size = ::pread(file_.get(), text.data(), text.size(), 0);
    if (size <= 0) return std::nullopt;
    text.resize(static_cast<std::size_t>(size));
    try {
        const auto json = nlohmann::json::parse(text);
        Outcome outcome;
        if (json.contains("code")) outcome.exit.code = json.at("code").get<int>();
        if (json.contains("signal")) {
            outcome.exit.signal = signal_by_name(json.at("signal").get<std::string>());
        }
        outcome.left = json.value("left", std::uint64_t{0});
        return outcome;
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

}  // namespace leftover::run
