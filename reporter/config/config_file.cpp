#include "reporter/config/config_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include "reporter/model/utf8.h"
#include "reporter/run/descriptor.h"

namespace leftover::config {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view names[] = {"leftover.toml", ".leftover"};
constexpr off_t longest_file = 1 << 20;

// A command line that a file in somebody else's checkout chose would run with our rights.
constexpr std::string_view never_from_a_file = "on-complete";

std::string why_not(const struct stat& facts, uid_t user) {
    if (facts.st_uid != user) return fmt::format("it belongs to user {}", facts.st_uid);
    if ((facts.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return fmt::format("others may write it (mode {:04o})", facts.st_mode & 07777U);
    }
    return {};
}

std::string read_all(int fd, const std::string& path) {
    std::string text;
    char buffer[16384];
    for (;;) {
        const ssize_t got = ::read(fd, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            throw std::runtime_error(fmt::format("cannot read '{}': {}", path, std::strerror(errno)));
        }
        if (got == 0) return text;
        text.append(buffer, static_cast<std::size_t>(got));
        if (text.size() > static_cast<std::size_t>(longest_file)) {
            throw std::runtime_error(fmt::format("'{}' is too large for a file of options", path));
        }
    }
}

void parse(const std::string& text, ConfigFile& file) {
    std::istringstream stream(text);
    std::vector<CLI::ConfigItem> items;
    try {
        items = CLI::ConfigTOML().from_config(stream);
    } catch (const std::exception& error) {
        throw std::runtime_error(fmt::format("{}: {}", file.path, printable(error.what())));
    }
    for (CLI::ConfigItem& item : items) {
        // CLI11 marks where a section begins and ends.
        if (item.name == "++" || item.name == "--") continue;
        if (item.name == never_from_a_file) {
            file.remarks.push_back(fmt::format("{}: '{}' is not taken from a file that was found",
                                               file.path, never_from_a_file));
            continue;
        }
        file.settings.push_back({fmt::format("{}", fmt::join(item.parents, ".")), item.name,
                                 std::move(item.inputs)});
    }
}

}  // namespace

std::optional<ConfigFile> find_config(const fs::path& folder, uid_t user) {
    for (fs::path place = folder; !place.empty(); place = place.parent_path()) {
        for (const std::string_view name : names) {
            const std::string path = place / name;
            // Opened once and asked then: what is checked is what is read.
            const run::Descriptor open(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
            struct stat facts {};
            if (!open.is_open()) {
                if (errno == ENOENT || errno == ENOTDIR || errno == EACCES) continue;
                throw std::runtime_error(
                    fmt::format("cannot read '{}': {}", path, std::strerror(errno)));
            }
            if (::fstat(open.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) continue;
            ConfigFile file;
            file.path = path;
            if (const std::string reason = why_not(facts, user); !reason.empty()) {
                file.remarks.push_back(fmt::format("{} is not read: {}", path, reason));
            } else {
                parse(read_all(open.get(), path), file);
            }
            return file;
        }
        if (place == place.root_path()) break;
    }
    return std::nullopt;
}

}  // namespace leftover::config
