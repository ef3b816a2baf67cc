#include "reporter/model/names.h"

#include <array>
#include <charconv>
#include <csignal>
#include <cstring>

namespace leftover {

namespace {

constexpr std::array severity_names{std::string_view("note"), std::string_view("warning"),
                                    std::string_view("error")};
constexpr std::array status_names{std::string_view("leaked"),     std::string_view("cleaned"),
                                  std::string_view("in_use"),     std::string_view("failed"),
                                  std::string_view("suppressed"), std::string_view("baseline")};

template <class Value, class Names>
std::optional<Value> by_name(const Names& names, std::string_view name) {
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i] == name) return static_cast<Value>(i);
    }
    return std::nullopt;
}

std::optional<int> number(std::string_view text) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace

std::string_view name_of(Kind kind) {
    return record::row(kind).name;
}

std::string_view name_of(Severity severity) {
    return severity_names.at(static_cast<std::size_t>(severity));
}

std::string_view name_of(Status status) {
    return status_names.at(static_cast<std::size_t>(status));
}

std::optional<Kind> kind_by_name(std::string_view name) {
    for (std::size_t i = 0; i < record::kind_count; ++i) {
        if (record::kind_table[i].name == name) return static_cast<Kind>(i);
    }
    return std::nullopt;
}

std::optional<Severity> severity_by_name(std::string_view name) {
    return by_name<Severity>(severity_names, name);
}

std::optional<Status> status_by_name(std::string_view name) {
    return by_name<Status>(status_names, name);
}

std::string signal_name(int signal) {
    // sigabbrev_np knows no real-time signals.
    if (signal >= SIGRTMIN && signal <= SIGRTMAX) {
        const int above = signal - SIGRTMIN;
        return above == 0 ? "SIGRTMIN" : "SIGRTMIN+" + std::to_string(above);
    }
    if (const char* abbreviation = sigabbrev_np(signal)) return std::string("SIG") + abbreviation;
    return "signal " + std::to_string(signal);
}

std::optional<int> signal_by_name(std::string_view name) {
    if (name.starts_with("signal ")) return number(name.substr(7));
    if (name.starts_with("SIG")) name.remove_prefix(3);
    if (name == "RTMIN") return SIGRTMIN;
    if (name == "RTMAX") return SIGRTMAX;
    if (name.starts_with("RTMIN+")) {
        const auto above = number(name.substr(6));
        if (!above || *above < 0 || *above > SIGRTMAX - SIGRTMIN) return std::nullopt;
        return SIGRTMIN + *above;
    }
    for (int signal = 1; signal < SIGRTMIN; ++signal) {
        const char* abbreviation = sigabbrev_np(signal);
        if (abbreviation != nullptr && name == abbreviation) return signal;
    }
    return std::nullopt;
}

}  // namespace leftover
