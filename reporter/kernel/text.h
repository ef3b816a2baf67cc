// Small files of /proc as text.
#pragma once

#include <charconv>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leftover::kernel {

// All of a file, empty when it cannot be opened or read: processes come and go while we look.
std::string read_text(const std::filesystem::path& file);

// The target of a symbolic link, empty when there is none.
std::string read_link(const std::filesystem::path& link);

// The pieces between blanks and tabs.
std::vector<std::string_view> split_words(std::string_view text);

// The whole of `text` as a number, else nothing.
template <class Number>
std::optional<Number> parse_number(std::string_view text, int base = 10) {
    Number number{};
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), number, base);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// Calls `line(std::string_view)` for each line of `text`, without its newline.
template <class Line>
void each_line(std::string_view text, Line&& line) {
    while (!text.empty()) {
        const auto end = text.find('\n');
        line(text.substr(0, end));
        if (end == std::string_view::npos) return;
        text.remove_prefix(end + 1);
    }
}

}  // namespace leftover::kernel
