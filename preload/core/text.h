// Text without libc's locale, heap or stdio: an appender over a fixed buffer, and hashing.
// Any context.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "law.h"

namespace leftover {

inline void copy_bytes(void* to, const void* from, std::size_t size) { __builtin_memcpy(to, from, size); }

// Appends to a buffer and keeps it NUL-terminated; what does not fit is dropped and `cut` says so.
class Text {
  public:
    Text(char* buffer, std::size_t size) : buffer_(buffer), size_(size) { buffer_[0] = 0; }

    Text& operator<<(std::string_view text) {
        if (text.size() > size_ - 1 - used_) {
            cut_ = true;
            text = text.substr(0, size_ - 1 - used_);
        }
        copy_bytes(buffer_ + used_, text.data(), text.size());
        used_ += text.size();
        buffer_[used_] = 0;
        return *this;
    }
    Text& operator<<(char c) { return *this << std::string_view(&c, 1); }
    Text& number(std::uint64_t value, unsigned base = 10) {
        char digits[24];
        std::size_t at = sizeof digits;
        do {
            digits[--at] = "0123456789abcdef"[value % base];
            value /= base;
        } while (value != 0);
        return *this << std::string_view(digits + at, sizeof digits - at);
    }

    bool cut() const { return cut_; }
    std::size_t size() const { return used_; }
    const char* c_str() const { return buffer_; }
    std::string_view view() const { return {buffer_, used_}; }

  private:
    char* buffer_;
    std::size_t size_;
    std::size_t used_ = 0;
    bool cut_ = false;
};

// What comes behind the last `/`. (string_view::substr may throw.)
inline std::string_view base_name(std::string_view path) {
    path.remove_prefix(path.rfind('/') + 1);  // npos + 1 is 0
    return path;
}

inline std::string_view behind(std::string_view text, std::size_t size) {
    text.remove_prefix(size < text.size() ? size : text.size());
    return text;
}

inline std::size_t length(const char* text) { return __builtin_strlen(text); }

// Reads a decimal (or 0x…) number at the start of `text` and takes it off; false when there is none.
inline bool take_number(std::string_view& text, std::uint64_t& value, unsigned base = 10) {
    std::size_t digits = 0;
    value = 0;
    for (; digits < text.size(); ++digits) {
        const char c = text[digits];
        unsigned digit = 99;
        if (c >= '0' && c <= '9') digit = static_cast<unsigned>(c - '0');
        if (base == 16 && c >= 'a' && c <= 'f') digit = static_cast<unsigned>(c - 'a' + 10);
        if (digit >= base) break;
        value = value * base + digit;
    }
    text.remove_prefix(digits);
    return digits != 0;
}

// 64-bit mixing, good enough that equal hashes of different stacks do not happen in practice
// (multiply and fold, as in wyhash's published construction).
inline std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
    const auto product = static_cast<unsigned __int128>(a ^ 0x9e3779b97f4a7c15ULL) * (b ^ 0xe7037ed1a0b428dbULL);
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

inline std::uint64_t hash_bytes(const void* data, std::size_t size, std::uint64_t seed = 0) {
    const char* at = static_cast<const char*>(data);
    std::uint64_t hash = mix(seed, size);
    for (; size >= 8; at += 8, size -= 8) {
        std::uint64_t word;
        copy_bytes(&word, at, 8);
        hash = mix(hash, word);
    }
    std::uint64_t rest = 0;
    for (std::size_t i = 0; i < size; ++i) rest |= static_cast<std::uint64_t>(static_cast<unsigned char>(at[i])) << (8 * i);
    return mix(hash, rest);
}

}  // namespace leftover
