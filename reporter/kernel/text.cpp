#include "reporter/kernel/text.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace leftover::kernel {

std::string read_text(const std::filesystem::path& file) {
    std::string text;
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return text;
    char buffer[16384];
    for (;;) {
        const ssize_t got = ::read(fd, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        text.append(buffer, static_cast<std::size_t>(got));
    }
    ::close(fd);
    return text;
}

std::string read_link(const std::filesystem::path& link) {
    char buffer[4096];
    const ssize_t size = ::readlink(link.c_str(), buffer, sizeof buffer);
    return size <= 0 ? std::string{} : std::string(buffer, static_cast<std::size_t>(size));
}

std::vector<std::string_view> split_words(std::string_view text) {
    std::vector<std::string_view> words;
    for (;;) {
        const auto begin = text.find_first_not_of(" \t");
        if (begin == std::string_view::npos) return words;
        text.remove_prefix(begin);
        const auto end = text.find_first_of(" \t");
        words.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return words;
        text.remove_prefix(end);
    }
}

}  // namespace leftover::kernel
