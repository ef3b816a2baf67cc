#include <charconv>
#include <ctime>

#include <fmt/format.h>

#include "reporter/model/json.h"

namespace leftover {

namespace {

constexpr Time second = 1'000'000'000;

// Takes exactly `digits` digits off the front of the text.
bool take(std::string_view& text, std::size_t digits, int& value) {
    if (text.size() < digits) return false;
    const char* end = text.data() + digits;
    const auto result = std::from_chars(text.data(), end, value);
    if (result.ec != std::errc() || result.ptr != end || value < 0) return false;
    text.remove_prefix(digits);
    return true;
}

bool take(std::string_view& text, char character) {
    if (text.empty() || text.front() != character) return false;
    text.remove_prefix(1);
    return true;
}

}  // namespace

std::string format_time(Time time) {
    Time seconds = time / second;
    Time rest = time % second;
    if (rest < 0) {
        rest += second;
        --seconds;
    }
    const std::time_t whole = seconds;
    std::tm tm{};
    if (gmtime_r(&whole, &tm) == nullptr) return {};
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", tm.tm_year + 1900, tm.tm_mon + 1,
                       tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, rest / 1000);
}

Time parse_time(std::string_view text) {
    std::tm tm{};
    if (!take(text, 4, tm.tm_year) || !take(text, '-') || !take(text, 2, tm.tm_mon) ||
        !take(text, '-') || !take(text, 2, tm.tm_mday)) {
        return 0;
    }
    if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return 0;
    if (!take(text, 2, tm.tm_hour) || !take(text, ':') || !take(text, 2, tm.tm_min) ||
        !take(text, ':') || !take(text, 2, tm.tm_sec)) {
        return 0;
    }
    if (tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 ||
        tm.tm_min > 59 || tm.tm_sec > 60) {
        return 0;
    }
    Time fraction = 0;
    if (take(text, '.')) {
        Time unit = second / 10;
        if (text.empty() || text.front() < '0' || text.front() > '9') return 0;
        for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; unit /= 10) {
            fraction += (text.front() - '0') * unit;
            text.remove_prefix(1);
        }
    }
    int offset = 0;  // minutes east of UTC
    if (!take(text, 'Z') && !take(text, 'z')) {
        const int sign = take(text, '+') ? 1 : take(text, '-') ? -1 : 0;
        int hours = 0;
        int minutes = 0;
        if (sign == 0 || !take(text, 2, hours) || !take(text, ':') || !take(text, 2, minutes)) {
            return 0;
        }
        offset = sign * (hours * 60 + minutes);
    }
    // Beyond these years nanoseconds, or sums of them, do not fit into 64 bits.
    if (!text.empty() || tm.tm_year < 1700 || tm.tm_year > 2200) return 0;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    // Microseconds, as they are written: what is read and written again is the same.
    return (timegm(&tm) - offset * 60) * second + fraction / 1000 * 1000;
}

}  // namespace leftover
