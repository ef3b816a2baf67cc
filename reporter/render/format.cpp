#include "reporter/render/format.h"

#include <array>
#include <stdexcept>

#include <fmt/format.h>

#include "reporter/model/utf8.h"

namespace leftover::render {

namespace {

constexpr std::array table{
    Format{"text", ".txt", text},
    Format{"json", ".json", json},
    Format{"html", ".html", html},
    Format{"sarif", ".sarif", sarif},
    Format{"junit", ".xml", junit},
    Format{"markdown", ".md", markdown},
    Format{"gitlab", "", gitlab},
    Format{"ndjson", ".ndjson", ndjson},
    Format{"folded", ".folded", folded},
};

const Format* find(std::string_view name) {
    for (const Format& format : table) {
        if (format.name == name) return &format;
    }
    return nullptr;
}

// "text, json and html" of the formats that there are (or will be).
std::string names(bool available_only) {
    std::string all;
    for (const Format& format : table) {
        if (available_only && format.render == nullptr) continue;
        if (!all.empty()) all += ", ";
        all += format.name;
    }
    return all;
}

const Format& checked(const Format& format) {
    if (format.render == nullptr) {
        throw std::runtime_error(fmt::format("the format '{}' is not available yet; there are: {}",
                                             format.name, names(true)));
    }
    return format;
}

}  // namespace

std::span<const Format> formats() {
    return table;
}

const Format& format_by_name(std::string_view name) {
    const Format* format = find(name);
    if (format == nullptr) {
        throw std::runtime_error(fmt::format("unknown format '{}'; there are: {}", printable(name),
                                             names(false)));
    }
    return checked(*format);
}

Output parse_output(std::string_view argument, std::string_view format_name) {
    // A prefix that names no format belongs to the file's name.
    const auto colon = argument.find(':');
    if (colon != argument.npos) {
        if (const Format* format = find(argument.substr(0, colon))) {
            const std::string_view file = argument.substr(colon + 1);
            if (file.empty()) {
                throw std::runtime_error(fmt::format("no file after '{}'", printable(argument)));
            }
            return {&checked(*format), std::string(file)};
        }
    }
    if (argument.empty()) throw std::runtime_error("the output's name is empty");
    if (!format_name.empty()) return {&format_by_name(format_name), std::string(argument)};

    const std::string_view name = argument.substr(argument.rfind('/') + 1);
    const auto dot = name.rfind('.');
    if (dot == name.npos || dot == 0) return {find("text"), std::string(argument)};
    for (const Format& format : table) {
        if (!format.ending.empty() && name.substr(dot) == format.ending) {
            return {&checked(format), std::string(argument)};
        }
    }
    throw std::runtime_error(
        fmt::format("no format has the ending of '{0}'; say which, as in text:{0}", printable(argument)));
}

}  // namespace leftover::render
