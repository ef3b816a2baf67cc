// UTC dates from CLOCK_REALTIME, without the C library's time zones. Any context.
#pragma once

#include <cstdint>

#include "preload/core/law.h"
#include "preload/core/text.h"

namespace leftover::hand {

struct Date {
    unsigned year, month, day, hour, minute, second;
};

// Counted in eras of 400 years from March on, where a leap day is a year's last day (the algorithm
// that Howard Hinnant published as civil_from_days).
constexpr Date to_date(std::uint64_t seconds) {
    const std::uint64_t days = seconds / 86400 + 719468;  // since 0000-03-01
    const std::uint64_t era = days / 146097;
    const std::uint64_t day_of_era = days % 146097;
    const std::uint64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const std::uint64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::uint64_t shifted_month = (5 * day_of_year + 2) / 153;  // 0: March
    const std::uint64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    const std::uint64_t rest = seconds % 86400;
    return {static_cast<unsigned>(year_of_era + era * 400 + (month <= 2 ? 1 : 0)),
            static_cast<unsigned>(month),
            static_cast<unsigned>(day_of_year - (153 * shifted_month + 2) / 5 + 1),
            static_cast<unsigned>(rest / 3600),
            static_cast<unsigned>(rest / 60 % 60),
            static_cast<unsigned>(rest % 60)};
}
static_assert(to_date(951782400).month == 2 && to_date(951782400).day == 29);  // 2000-02-29

// The last `width` digits, at most 20.
inline Text& append_padded(Text& text, std::uint64_t number, unsigned width) {
    char digits[20];
    for (unsigned at = width; at-- > 0; number /= 10)
        digits[at] = static_cast<char>('0' + number % 10);
    return text << std::string_view(digits, width);
}

// "20260102" and, behind the separator, "030405".
inline void append_compact_time(Text& text, std::uint64_t nanoseconds, char separator = 'T') {
    const Date date = to_date(nanoseconds / 1'000'000'000);
    append_padded(text, date.year, 4);
    append_padded(text, date.month, 2);
    append_padded(text, date.day, 2) << separator;
    append_padded(text, date.hour, 2);
    append_padded(text, date.minute, 2);
    append_padded(text, date.second, 2);
}

// "2026-01-02T03:04:05.678901Z"
inline void append_time(Text& text, std::uint64_t nanoseconds) {
    const Date date = to_date(nanoseconds / 1'000'000'000);
    append_padded(text, date.year, 4) << '-';
    append_padded(text, date.month, 2) << '-';
    append_padded(text, date.day, 2) << 'T';
    append_padded(text, date.hour, 2) << ':';
    append_padded(text, date.minute, 2) << ':';
    append_padded(text, date.second, 2) << '.';
    append_padded(text, nanoseconds / 1000, 6) << 'Z';
}

}  // namespace leftover::hand
