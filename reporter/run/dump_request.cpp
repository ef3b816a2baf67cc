#include "reporter/run/dump_request.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "reporter/hang/hang.h"
#include "reporter/kernel/process.h"
#include "reporter/kernel/text.h"
#include "reporter/model/json.h"
#include "reporter/run/descendants.h"
#include "reporter/run/descriptor.h"
#include "reporter/run/signals.h"

namespace leftover::run {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "dump-";
constexpr std::string_view request_ending = ".request";
constexpr std::chrono::seconds patience{20};

// From then on it writes its reports and takes no requests.
bool has_reported(const std::string& folder) {
    const auto facts = read_session_file(folder);
    return facts && facts->ended;
}

bool lives(const ProcessId& process) {
    const auto stat = kernel::read_stat(process.pid);
    return stat && stat->start_ticks == process.start_ticks && kernel::is_alive(*stat);
}

// By a pidfd, so that it is that process or nobody.
bool send(const ProcessId& launcher) {
    const Descriptor handle(static_cast<int>(::syscall(SYS_pidfd_open, launcher.pid, 0U)));
    if (!handle.is_open() || !lives(launcher)) return false;
    return ::syscall(SYS_pidfd_send_signal, handle.get(), dump_signal(), nullptr, 0U) == 0;
}

// Complete or not there at all.
bool write_whole(const std::string& path, const std::string& text) {
    const std::string fresh = path + ".new";
    std::ofstream out(fresh, std::ios::trunc | std::ios::binary);
    out << text;
    out.close();
    std::error_code error;
    if (out) fs::rename(fresh, path, error);
    if (!out || error) {
        fs::remove(fresh, error);
        return false;
    }
    return true;
}

class Files {
public:
    explicit Files(const std::string& folder)
        : base_(fmt::format("{}/{}{}", folder, prefix, ::getpid())) {}
    ~Files() {
        std::error_code error;
        fs::remove(request(), error);
        fs::remove(answer(), error);
    }
    Files(const Files&) = delete;
    Files& operator=(const Files&) = delete;

    std::string request() const { return base_ + std::string(request_ending); }
    std::string answer() const { return base_ + ".answer"; }

private:
    std::string base_;
};

void answer(const fs::path& request) {
    // "WHO PID PID..."
    const std::string text = kernel::read_text(request);
    const auto words = kernel::split_words(text);
    std::error_code error;
    const auto asker = words.empty() ? std::nullopt : kernel::parse_number<int>(words.front());
    if (!asker || !kernel::read_stat(*asker)) {
        fs::remove(request, error);
        return;
    }
    const std::vector<int> ours = live_descendants();
    const std::set<int> allowed(ours.begin(), ours.end());
    std::vector<int> pids;
    for (std::size_t i = 1; i < words.size(); ++i) {
        const auto pid = kernel::parse_number<int>(words[i]);
        if (pid && allowed.contains(*pid)) pids.push_back(*pid);
    }
    Report report;
    report.sessions.emplace_back();
    hang::record(pids, report);
    std::ostringstream json;
    write_json(report, json);
    fs::path to = request;
    to.replace_extension(".answer");
    fs::remove(request, error);
    write_whole(to.string(), json.str());
}

}  // namespace

std::optional<Report> ask_launcher(const std::string& folder, const ProcessId& launcher,
                                   const std::vector<int>& pids) {
    const Files files(folder);
    std::string text = std::to_string(::getpid());
    for (const int pid : pids) text += fmt::format(" {}", pid);
    if (!write_whole(files.request(), text) || !send(launcher)) return std::nullopt;
    const auto begin = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - begin < patience) {
        std::error_code error;
        if (fs::exists(files.answer(), error)) {
            try {
                return read_json_file(files.answer());
            } catch (const std::exception&) {
                return std::nullopt;
            }
        }
        if (!lives(launcher) || has_reported(folder)) return std::nullopt;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return std::nullopt;
}

void answer_requests(const std::string& folder) {
    try {
        std::vector<fs::path> requests;
        for (const auto& entry : fs::directory_iterator(folder)) {
            const std::string name = entry.path().filename().string();
            if (name.starts_with(prefix) && name.ends_with(request_ending)) requests.push_back(entry.path());
        }
        for (const fs::path& request : requests) answer(request);
    } catch (const std::exception&) {
        // Who asked gives up in a while, or asks again.
    }
}

}  // namespace leftover::run
