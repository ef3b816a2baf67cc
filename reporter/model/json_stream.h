// Writes JSON piece by piece, so that a report of any size needs no memory but its own.
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>

#include <fmt/format.h>

namespace leftover {

// All on one line but where line() breaks it. The caller keeps begin and end in balance, gives a key
// before each value of an object, and calls finish().
class JsonStream {
public:
    explicit JsonStream(std::ostream& out) : out_(out) { buffer_.reserve(capacity + 4096); }

    JsonStream& begin(char bracket) {
        separate();
        buffer_ += bracket;
        first_ = true;
        return *this;
    }
    JsonStream& end(char bracket) {
        buffer_ += bracket;
        first_ = false;
        if (buffer_.size() > capacity) flush();
        return *this;
    }
    // The next element begins a line.
    JsonStream& line() {
        newline_ = true;
        return *this;
    }
    // Behind the last bracket of a document that another one follows, on the next line.
    void next_document() {
        buffer_ += '\n';
        first_ = true;
        newline_ = false;
        if (buffer_.size() > capacity) flush();
    }
    // Behind the last bracket: ends the line and writes what is still held back.
    void finish() {
        buffer_ += '\n';
        flush();
    }

    // Writes what is held back.
    void flush();

    JsonStream& key(std::string_view name) {
        separate();
        quote(name);
        buffer_ += ": ";
        after_key_ = true;
        return *this;
    }

    JsonStream& value(std::string_view text) {
        separate();
        quote(text);
        return *this;
    }
    JsonStream& value(const char* text) { return value(std::string_view(text)); }
    JsonStream& value(bool truth) { return raw(truth ? "true" : "false"); }
    JsonStream& value(double number);  // not finite: null
    template <class Integer>
        requires std::is_integral_v<Integer>
    JsonStream& value(Integer number) {
        const fmt::format_int digits(number);
        return raw({digits.data(), digits.size()});
    }
    JsonStream& null() { return raw("null"); }

    JsonStream& value_or_null(std::string_view text) { return text.empty() ? null() : value(text); }
    template <class Integer>
        requires std::is_integral_v<Integer>
    JsonStream& value_or_null(Integer number) {
        return number == 0 ? null() : value(number);
    }
    JsonStream& hex(std::uint64_t number);  // "0x12ab"

private:
    static constexpr std::size_t capacity = 1 << 16;

    void separate();
    JsonStream& raw(std::string_view text) {
        separate();
        buffer_ += text;
        return *this;
    }
    void quote(std::string_view text);

    std::ostream& out_;
    std::string buffer_;
    bool first_ = true;
    bool after_key_ = false;
    bool newline_ = false;
};

}  // namespace leftover
