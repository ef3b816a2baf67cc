#include "reporter/render/words.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>

#include <fmt/format.h>

#include "reporter/model/names.h"
#include "reporter/model/utf8.h"

namespace leftover::render {

namespace {

struct Words {
    std::string_view one, many;
};

Words words_for(Kind kind) {
    switch (kind) {
        case Kind::process: return {"process", "processes"};
        case Kind::semaphore: return {"semaphore", "semaphores"};
        case Kind::shared_memory: return {"shared memory object", "shared memory objects"};
        case Kind::message_queue: return {"message queue", "message queues"};
        case Kind::sysv_shared_memory:
            return {"System V shared memory segment", "System V shared memory segments"};
        case Kind::sysv_semaphore: return {"System V semaphore set", "System V semaphore sets"};
        case Kind::sysv_message_queue:
            return {"System V message queue", "System V message queues"};
        case Kind::temporary_file: return {"temporary file", "temporary files"};
        case Kind::temporary_directory: return {"temporary directory", "temporary directories"};
        case Kind::socket_file: return {"socket file", "socket files"};
        case Kind::zombie: return {"zombie", "zombies"};
        case Kind::thread: return {"thread", "threads"};
        case Kind::detached_thread: return {"detached thread", "detached threads"};
        case Kind::file_descriptor: return {"file descriptor", "file descriptors"};
        case Kind::timer: return {"timer", "timers"};
    }
    return {"thing", "things"};
}

// As a shell would take it.
std::string quoted(const std::string& argument) {
    const bool plain =
        !argument.empty() && argument.find_first_of(" \t\n\r\"'\\$`*?[]{}()<>|&;#~!") == argument.npos;
    std::string shown = printable(argument);
    if (plain) return shown;
    for (std::size_t at = 0; (at = shown.find('\'', at)) != shown.npos; at += 4) {
        shown.replace(at, 1, "'\\''");
    }
    return fmt::format("'{}'", shown);
}

}  // namespace

std::string kind_words(Kind kind, std::uint64_t count) {
    const Words words = words_for(kind);
    return fmt::format("{} {}", count, count == 1 ? words.one : words.many);
}

std::string size_words(std::uint64_t bytes) {
    constexpr std::array units{"KiB", "MiB", "GiB", "TiB"};
    if (bytes < 1024) return fmt::format("{} {}", bytes, bytes == 1 ? "byte" : "bytes");
    double size = static_cast<double>(bytes) / 1024;
    std::size_t unit = 0;
    for (; size >= 1023.95 && unit + 1 < units.size(); ++unit) size /= 1024;
    return fmt::format("{:.{}f} {}", size, size < 99.95 && size != std::floor(size) ? 1 : 0, units[unit]);
}

std::string seconds_words(double seconds) {
    if (!(seconds >= 0)) return "0 s";
    if (seconds < 1) return fmt::format("{:.3f} s", seconds);
    if (seconds < 99.95) return fmt::format("{:.1f} s", seconds);
    const auto whole = static_cast<std::uint64_t>(std::llround(seconds));
    if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
    if (whole < 48 * 3600) return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
    return fmt::format("{} days {} h", whole / 86400, whole / 3600 % 24);
}

std::string state_words(std::string_view state) {
    if (state == "R") return "running";
    if (state == "S") return "sleeping";
    if (state == "D") return "in uninterruptible sleep";
    if (state == "T") return "stopped";
    if (state == "t") return "stopped by a tracer";
    if (state == "Z") return "zombie";
    if (state == "I") return "idle";
    return printable(state);
}

std::string exit_words(const Session& session) {
    if (session.timed_out) return "timed out";
    if (session.exit.signal) return "killed by " + signal_name(*session.exit.signal);
    if (session.exit.running) return "still running";
    if (session.exit.code.value_or(0) != 0) return fmt::format("exit status {}", *session.exit.code);
    return {};
}

std::string command_words(const std::vector<std::string>& command, std::size_t columns) {
    std::string line;
    for (const std::string& argument : command) {
        if (!line.empty()) line += ' ';
        line += quoted(argument);
        // Nobody needs the whole of a command of a megabyte.
        if (columns != 0 && line.size() > 8 * columns) break;
    }
    return shorten(std::move(line), columns);
}

std::size_t columns_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string shorten(std::string text, std::size_t columns) {
    constexpr std::string_view mark = "...";
    if (columns == 0 || columns_of(text) <= columns) return text;
    std::size_t at = 0;
    for (std::size_t left = columns > mark.size() ? columns - mark.size() : 0; left > 0; --left) {
        next_character(text, at);
    }
    text.resize(at);
    text += mark;
    return text;
}

std::string list_words(const std::vector<std::string>& texts, std::size_t columns,
                       std::size_t others) {
    constexpr std::size_t most = 5;
    constexpr std::size_t room_for_more = 16;  // " and 12345 more"
    std::string line;
    std::size_t used = 0;
    std::size_t shown = 0;
    for (; shown < texts.size() && shown < most; ++shown) {
        const bool last = shown + 1 == texts.size() && others == 0;
        const std::size_t wanted = columns_of(texts[shown]) + 2;
        if (shown > 0 && used + wanted + (last ? 0 : room_for_more) > columns) break;
        if (shown > 0) line += ", ";
        line += shorten(texts[shown], std::max<std::size_t>(columns, 40) - room_for_more);
        used += wanted;
    }
    const std::size_t left = texts.size() - shown + others;
    if (left > 0) line += fmt::format(" and {} more", left);
    return line;
}

std::string_view status_words(Status status) {
    switch (status) {
        case Status::cleaned: return "cleaned up";
        case Status::in_use: return "in use by others and left alone";
        case Status::failed: return "could not be cleaned up";
        default: return "left as they are";
    }
}

std::string outcome_words(const std::map<Status, std::uint64_t>& counts) {
    std::uint64_t all = 0;
    for (const auto& [status, count] : counts) all += count;
    std::string words;
    for (const Status status : {Status::cleaned, Status::in_use, Status::failed}) {
        const auto at = counts.find(status);
        if (at == counts.end()) continue;
        if (at->second == all) {
            return all == 1 ? std::string(status_words(status))
                            : fmt::format("all {}", status_words(status));
        }
        if (!words.empty()) words += ", ";
        words += fmt::format("{} {}", at->second, status_words(status));
    }
    return words;
}

std::string join(const std::vector<std::string>& parts) {
    return fmt::format("{}", fmt::join(parts, ", "));
}

std::vector<std::string> distinct(const std::vector<std::string>& texts) {
    std::unordered_map<std::string_view, std::size_t> counts;
    for (const std::string& text : texts) ++counts[text];
    std::vector<std::string> result;
    for (const std::string& text : texts) {
        std::size_t& count = counts[text];
        if (count == 0) continue;
        result.push_back(count == 1 ? text : fmt::format("{} (x{})", text, count));
        count = 0;
    }
    return result;
}

}  // namespace leftover::render
