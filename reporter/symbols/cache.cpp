#include "reporter/symbols/cache.h"

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reporter/model/read_file.h"
#include "reporter/symbols/options.h"

namespace leftover {

std::string symbol_cache_folder() {
    for (const auto& [variable, below] : {std::pair("XDG_CACHE_HOME", ""), std::pair("HOME", "/.cache")}) {
        const char* value = std::getenv(variable);
        if (value != nullptr && *value == '/') return fmt::format("{}{}/leftover/symbols", value, below);
    }
    return {};
}

namespace symbols {

namespace {

constexpr std::string_view first_line = "leftover.symbols/1\n";

bool is_build_id(std::string_view id) {
    return id.size() >= 8 && id.size() <= 128 && id.find_first_not_of("0123456789abcdef") == id.npos;
}

// The text up to that character, which is taken off with it.
std::string_view take(std::string_view& text, char until) {
    const auto end = std::min(text.find(until), text.size());
    const std::string_view taken = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return taken;
}

template <class Number>
bool parse(std::string_view text, Number& number, int base) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    return error == std::errc() && end == text.data() + text.size();
}

bool fits(const std::string& text) {
    return text.find_first_of("\t\n") == text.npos;
}

}  // namespace

PlaceMap read_cache(const std::string& folder, const std::string& build_id) {
    PlaceMap places;
    if (folder.empty() || !is_build_id(build_id)) return places;
    const std::string path = folder + "/" + build_id;
    struct stat status{};
    if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_uid != geteuid()) return places;
    std::string content;
    try {
        content = read_file(path);
    } catch (const std::runtime_error&) {
        return places;
    }
    std::string_view text = content;
    if (!text.starts_with(first_line)) return places;
    text.remove_prefix(first_line.size());
    while (!text.empty()) {
        // A line is a place; those of one offset follow one another, innermost first.
        std::string_view line = take(text, '\n');
        std::uint64_t offset = 0;
        Place place;
        if (!parse(take(line, '\t'), offset, 16)) break;
        if (!parse(take(line, '\t'), place.line, 10)) break;
        place.file = take(line, '\t');
        place.function = line;
        places[offset].push_back(std::move(place));
    }
    return places;
}

void write_cache(const std::string& folder, const std::string& build_id, const PlaceMap& places) {
    if (folder.empty() || !is_build_id(build_id)) return;
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    std::string text(first_line);
    for (const auto& [offset, found] : places) {
        for (const Place& place : found) {
            if (!fits(place.file) || !fits(place.function)) continue;
            text += fmt::format("{:x}\t{}\t{}\t{}\n", offset, place.line, place.file, place.function);
        }
    }
    const std::string temporary = fmt::format("{}/.{}.{}", folder, build_id, getpid());
    std::ofstream(temporary, std::ios::binary) << text;
    std::filesystem::rename(temporary, folder + "/" + build_id, error);
    if (error) std::filesystem::remove(temporary, error);
}

}  // namespace symbols

}  // namespace leftover
