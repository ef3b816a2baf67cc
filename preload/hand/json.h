// Writes JSON piece by piece, laid out as leftover's own: one element of the long lists a line. Any
// context; nothing is kept in memory but the file's buffer.
#pragma once

#include <cstdint>
#include <string_view>

#include "preload/core/law.h"
#include "preload/hand/report_file.h"

namespace leftover::hand {

// The caller keeps begin and end in balance and gives a key before each value of an object.
class Json {
public:
    explicit Json(ReportFile& file) : file_(file) {}

    Json& begin(char bracket) {
        separate();
        put(bracket);
        first_ = true;
        return *this;
    }
    Json& end(char bracket) {
        put(bracket);
        first_ = false;
        return *this;
    }
    // The next element begins a line.
    Json& line() {
        newline_ = true;
        return *this;
    }
    Json& key(std::string_view name);

    Json& text(std::string_view value);
    Json& text_or_null(std::string_view value) { return value.empty() ? null() : text(value); }
    Json& number(std::uint64_t value);
    Json& number_or_null(std::uint64_t value) { return value == 0 ? null() : number(value); }
    Json& hex(std::uint64_t value);      // "0x12ab"
    Json& seconds(std::uint64_t value);  // nanoseconds, as a decimal of seconds
    Json& time(std::uint64_t value);     // CLOCK_REALTIME; 0 is null
    Json& truth(bool value) { return raw(value ? "true" : "false"); }
    Json& null() { return raw("null"); }
    // Strings, each with its NUL, as a list.
    Json& strings(std::string_view list);

private:
    void put(char c) { file_.write({&c, 1}); }
    void separate();
    Json& raw(std::string_view text);
    void quote(std::string_view text);

    ReportFile& file_;
    bool first_ = true;
    bool after_key_ = false;
    bool newline_ = false;
};

}  // namespace leftover::hand
