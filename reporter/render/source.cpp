#include "reporter/render/source.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <stdexcept>

#include <sys/stat.h>

#include "reporter/model/read_file.h"
#include "reporter/model/utf8.h"
#include "reporter/render/words.h"

namespace leftover::render {

namespace {

constexpr off_t largest_file = 16 << 20;

bool is_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// What may stand before a bracket in C++ or Python without being a call.
bool is_keyword(std::string_view word) {
    constexpr std::array keywords{
        std::string_view("if"),     std::string_view("while"), std::string_view("for"),
        std::string_view("switch"), std::string_view("return"), std::string_view("catch"),
        std::string_view("and"),    std::string_view("or"),    std::string_view("not"),
        std::string_view("in"),     std::string_view("is"),    std::string_view("elif"),
        std::string_view("assert"), std::string_view("yield"), std::string_view("await"),
        std::string_view("def"),    std::string_view("class"), std::string_view("with")};
    return std::find(keywords.begin(), keywords.end(), word) != keywords.end();
}

std::string shown_line(std::string_view line) {
    std::string spaced;
    for (const char c : line) {
        if (c == '\t') {
            spaced.append(4 - spaced.size() % 4, ' ');
        } else {
            spaced += c;
        }
    }
    while (!spaced.empty() && (spaced.back() == ' ' || spaced.back() == '\r')) spaced.pop_back();
    return printable(spaced);
}

}  // namespace

const Sources::File& Sources::load(const std::string& path) {
    const auto [at, is_new] = files_.try_emplace(path);
    File& file = at->second;
    struct stat status{};
    if (!is_new || stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode) ||
        status.st_size > largest_file) {
        return file;
    }
    std::string text;
    try {
        text = read_file(path, static_cast<std::size_t>(largest_file));
    } catch (const std::runtime_error&) {
        return file;  // a report is complete without source lines
    }
    file.changed = status.st_mtim.tv_sec * Time{1'000'000'000} + status.st_mtim.tv_nsec;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        file.lines.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return file;
}

std::optional<std::string> Sources::line(const std::string& file, const std::string& folder, int number,
                                         Time when) {
    if (file.empty() || file.front() == '<' || number < 1) return std::nullopt;
    const std::filesystem::path path(file);
    if (path.is_relative() && folder.empty()) return std::nullopt;
    const File& source = load(path.is_relative() ? (folder / path).string() : file);
    if (when != 0 && source.changed > when) return std::nullopt;
    const auto index = static_cast<std::size_t>(number) - 1;
    if (index >= source.lines.size()) return std::nullopt;
    return shown_line(source.lines[index]);
}

std::optional<Mark> find_call(std::string_view line, std::string_view function) {
    function = function.substr(0, function.find_first_of("(<", 1));
    const auto last = function.find_last_of(":. ");
    if (last != function.npos) function.remove_prefix(last + 1);

    std::optional<Mark> only;
    int calls = 0;
    for (std::size_t at = 0; at < line.size();) {
        if (!is_word(line[at])) {
            ++at;
            continue;
        }
        std::size_t end = at;
        while (end < line.size() && is_word(line[end])) ++end;
        const std::string_view word = line.substr(at, end - at);
        const std::size_t next = line.find_first_not_of(' ', end);
        const char follows = next == line.npos ? '\0' : line[next];
        const Mark mark{columns_of(line.substr(0, at)), word.size()};
        if (word == function && (follows == '(' || follows == '<' || follows == '{')) return mark;
        if (follows == '(' && !is_keyword(word)) {
            ++calls;
            only = mark;
        }
        at = end;
    }
    return calls == 1 ? only : std::nullopt;
}

}  // namespace leftover::render
