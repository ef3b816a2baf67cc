#include "preload/hand/options.h"

#include "preload/core/process.h"
#include "preload/core/text.h"
#include "preload/hand/notice.h"
#include "preload/hand/report_path.h"
#include "preload/hand/signal_names.h"
#include "preload/record/kinds.h"

namespace leftover::hand {

constinit Settings settings;

namespace {

bool parse_bool(std::string_view value, bool& into) {
    if (value != "0" && value != "1") return false;
    into = value == "1";
    return true;
}

// Decimals, such as 0.5: as nanoseconds, at most some years.
bool parse_seconds(std::string_view value, std::uint64_t& into) {
    constexpr std::uint64_t second = 1'000'000'000;
    constexpr std::size_t most_digits = 9;
    if (value.find('.') > most_digits && value.size() > most_digits) return false;
    std::uint64_t whole = 0;
    const bool has_whole = take_number(value, whole);
    std::uint64_t part = 0;
    bool has_part = false;
    if (!value.empty() && value.front() == '.') {
        value.remove_prefix(1);
        for (std::uint64_t unit = second / 10; !value.empty(); unit /= 10) {
            if (value.front() < '0' || value.front() > '9') return false;
            part += static_cast<std::uint64_t>(value.front() - '0') * unit;
            value.remove_prefix(1);
            has_part = true;
        }
    }
    if (!value.empty() || (!has_whole && !has_part)) return false;
    into = whole * second + part;
    return true;
}

bool parse_depth(std::string_view value, std::uint32_t& into) {
    if (value.size() > 9) return false;
    std::uint64_t number = 0;
    if (!take_number(value, number) || !value.empty()) return false;
    into = static_cast<std::uint32_t>(number < max_depth ? number : max_depth);
    return true;
}

std::uint32_t kind_named(std::string_view name) {
    for (std::size_t i = 0; i < record::kind_count; ++i) {
        if (record::kind_table[i].name == name) return 1U << i;
    }
    return 0;
}

// "semaphore,process": these; "-timer,-thread": all but these.
bool parse_kinds(std::string_view value, std::uint32_t& into) {
    std::uint32_t named = 0;
    std::uint32_t left_out = 0;
    for (;;) {
        std::string_view item = value.substr(0, value.find(','));
        const std::size_t used = item.size();
        const bool out = item.starts_with('-');
        if (out) item.remove_prefix(1);
        const std::uint32_t bit = !out && item == "all" ? record::all_kinds : kind_named(item);
        if (bit == 0) return false;
        (out ? left_out : named) |= bit;
        if (used == value.size()) break;
        value.remove_prefix(used + 1);
    }
    into = (named == 0 ? record::all_kinds : named) & ~left_out;
    return true;
}

bool parse_mode(std::string_view value, Mode& into) {
    if (value == "report")
        into = Mode::report;
    else if (value == "clean")
        into = Mode::clean;
    else if (value == "off")
        into = Mode::off;
    else
        return false;
    return true;
}

bool parse_report(std::string_view value) {
    if (!is_template(value) || value.size() >= sizeof settings.report) return false;
    Text(settings.report, sizeof settings.report) << value;
    return true;
}

bool parse_dump_signal(std::string_view value) {
    const int signal = signal_by_name(value);
    if (signal == 0 || !can_be_handled(signal)) return false;
    settings.dump_signal = signal;
    return true;
}

enum class Result { taken, malformed, unknown };

Result parse(std::string_view key, std::string_view value) {
    const auto result = [](bool good) { return good ? Result::taken : Result::malformed; };
    if (key == "mode") return result(parse_mode(value, settings.mode));
    if (key == "report") return result(parse_report(value));
    if (key == "report_always") return result(parse_bool(value, settings.report_always));
    if (key == "dump_signal") return result(parse_dump_signal(value));
    if (key == "grace") return result(parse_seconds(value, settings.grace_ns));
    if (key == "kill_after") return result(parse_seconds(value, settings.kill_after_ns));
    if (key == "depth") return result(parse_depth(value, options.depth));
    if (key == "python") return result(parse_bool(value, options.python));
    if (key == "kinds") return result(parse_kinds(value, options.kinds));
    if (key == "help") return result(parse_bool(value, settings.help));
    return Result::unknown;
}

// Takes `key=value` or `key="va:lue"` off the text, up to and with the colon behind it. False when
// it is not of that form; then all up to the next colon is taken off and is in `key`.
bool take_option(std::string_view& text, std::string_view& key, std::string_view& value) {
    const std::string_view plain = text.substr(0, text.find(':'));
    const std::size_t equals = plain.find('=');
    std::size_t used = plain.size();
    bool good = equals != std::string_view::npos && equals != 0;
    key = good ? plain.substr(0, equals) : plain;
    if (good && behind(text, equals + 1).starts_with('"')) {
        const std::size_t begin = equals + 2;
        const std::size_t end = text.find('"', begin);
        if (end != std::string_view::npos && (end + 1 == text.size() || text[end + 1] == ':')) {
            value = behind(text, begin).substr(0, end - begin);
            used = end + 1;
        } else {
            good = false;
            key = plain;
        }
    } else if (good) {
        value = behind(plain, equals + 1);
    }
    text.remove_prefix(used == text.size() ? used : used + 1);
    return good;
}

}  // namespace

void parse_options(std::string_view text, bool complain) {
    while (!text.empty()) {
        std::string_view key;
        std::string_view value;
        const bool good = take_option(text, key, value);
        if (good) {
            switch (parse(key, value)) {
                case Result::taken:
                    break;
                case Result::malformed:
                    if (complain) notice(key, ": not understood: '", value, "'");
                    break;
                case Result::unknown:
                    if (complain) notice("there is no option '", key, "'");
                    break;
            }
        } else if (!key.empty() && complain) {
            notice("'", key, "' is not of the form key=value");
        }
    }
}

}  // namespace leftover::hand
