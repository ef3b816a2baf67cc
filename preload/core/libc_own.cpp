// Memory and strings. Compiled so that no loop here is made a call to itself.
#include "preload/core/libc_own.h"

#include <cstdint>

namespace {

using Byte = unsigned char;

std::uint64_t load(const Byte* from) {
    std::uint64_t word;
    __builtin_memcpy(&word, from, sizeof word);
    return word;
}
void store(Byte* to, std::uint64_t word) { __builtin_memcpy(to, &word, sizeof word); }

constexpr std::size_t word_size = sizeof(std::uint64_t);

void copy_up(Byte* to, const Byte* from, std::size_t size) {
    for (; size >= word_size; size -= word_size, to += word_size, from += word_size) store(to, load(from));
    for (; size != 0; --size) *to++ = *from++;
}

void copy_down(Byte* to, const Byte* from, std::size_t size) {
    for (; size >= word_size; size -= word_size) store(to + size - word_size, load(from + size - word_size));
    for (; size != 0; --size) to[size - 1] = from[size - 1];
}

}  // namespace

OWN(void*, memcpy, void* to, const void* from, std::size_t size) {
    copy_up(static_cast<Byte*>(to), static_cast<const Byte*>(from), size);
    return to;
}

OWN(void*, memmove, void* to, const void* from, std::size_t size) {
    // Word by word, so that one store may overwrite what the next load wants, unless it goes away from it.
    if (reinterpret_cast<std::uintptr_t>(to) <= reinterpret_cast<std::uintptr_t>(from)) {
        copy_up(static_cast<Byte*>(to), static_cast<const Byte*>(from), size);
    } else {
        copy_down(static_cast<Byte*>(to), static_cast<const Byte*>(from), size);
    }
    return to;
}

OWN(void*, memset, void* to, int value, std::size_t size) {
    auto* at = static_cast<Byte*>(to);
    const std::uint64_t word = static_cast<Byte>(value) * 0x0101010101010101ULL;
    for (; size >= word_size; size -= word_size, at += word_size) store(at, word);
    for (; size != 0; --size) *at++ = static_cast<Byte>(value);
    return to;
}

OWN(int, memcmp, const void* one, const void* other, std::size_t size) {
    const auto* a = static_cast<const Byte*>(one);
    const auto* b = static_cast<const Byte*>(other);
    for (; size >= word_size && load(a) == load(b); size -= word_size, a += word_size, b += word_size) {
    }
    for (; size != 0; --size, ++a, ++b) {
        if (*a != *b) return *a - *b;
    }
    return 0;
}

OWN(void*, memchr, const void* in, int wanted, std::size_t size) {
    for (const auto* at = static_cast<const Byte*>(in); size != 0; --size, ++at) {
        if (*at == static_cast<Byte>(wanted)) return const_cast<Byte*>(at);
    }
    return nullptr;
}

OWN(std::size_t, strlen, const char* text) {
    const char* end = text;
    while (*end != 0) ++end;
    return static_cast<std::size_t>(end - text);
}

OWN(char*, strchr, const char* text, int wanted) {
    for (;; ++text) {
        if (*text == static_cast<char>(wanted)) return const_cast<char*>(text);
        if (*text == 0) return nullptr;
    }
}

OWN(char*, strrchr, const char* text, int wanted) {
    const char* last = nullptr;
    for (;; ++text) {
        if (*text == static_cast<char>(wanted)) last = text;
        if (*text == 0) return const_cast<char*>(last);
    }
}

OWN(int, strncmp, const char* one, const char* other, std::size_t size) {
    for (; size != 0; --size, ++one, ++other) {
        if (*one != *other || *one == 0) return static_cast<Byte>(*one) - static_cast<Byte>(*other);
    }
    return 0;
}

OWN(int, strcmp, const char* one, const char* other) { return own_strncmp(one, other, ~std::size_t{0}); }

OWN(char*, strstr, const char* text, const char* wanted) {
    const std::size_t size = own_strlen(wanted);
    for (;; ++text) {
        if (own_strncmp(text, wanted, size) == 0) return const_cast<char*>(text);
        if (*text == 0) return nullptr;
    }
}

OWN(char*, stpcpy, char* to, const char* from) {
    while ((*to = *from++) != 0) ++to;
    return to;
}

OWN(char*, strcpy, char* to, const char* from) {
    own_stpcpy(to, from);
    return to;
}

OWN(char*, strncpy, char* to, const char* from, std::size_t size) {
    for (char* at = to; size != 0; --size, ++at) {
        *at = *from;
        if (*from != 0) ++from;
    }
    return to;
}
