#include "reporter/symbols/demangle.h"

#include <array>
#include <cstdlib>
#include <cxxabi.h>
#include <memory>

#include <libiberty/demangle.h>
#include <string_view>

namespace leftover::symbols {

namespace {

std::string_view without_suffixes(std::string_view symbol) {
    constexpr std::array marks{std::string_view(".cold"),      std::string_view(".part."),
                               std::string_view(".isra."),     std::string_view(".constprop."),
                               std::string_view(".lto_priv."), std::string_view(".llvm.")};
    symbol = symbol.substr(0, symbol.find('@'));
    for (const std::string_view mark : marks) {
        // Not at the very front: some names begin with a dot.
        const auto at = symbol.find(mark, 1);
        if (at != symbol.npos) symbol = symbol.substr(0, at);
    }
    return symbol;
}

// Rust's own way of mangling (_R...), and its older one within C++'s, with $LT$ for <.
std::string demangle_rust(const std::string& symbol) {
    const std::unique_ptr<char, decltype(&std::free)> readable(
        rust_demangle(symbol.c_str(), DMGL_NO_OPTS), &std::free);
    return readable == nullptr ? std::string() : std::string(readable.get());
}

// Rust's older symbols end in a hash of the build: core::ptr::drop_in_place::h0123456789abcdef
std::string_view without_rust_hash(std::string_view name) {
    constexpr std::string_view digits = "0123456789abcdef";
    const auto at = name.rfind("::h");
    if (at == name.npos || name.size() - at != 19 ||
        name.find_first_not_of(digits, at + 3) != name.npos) {
        return name;
    }
    return name.substr(0, at);
}

}  // namespace

std::string demangle(const char* symbol) {
    std::string plain(without_suffixes(symbol));
    if (std::string rust = demangle_rust(plain); !rust.empty()) {
        return std::string(without_rust_hash(rust));
    }
    if (!plain.starts_with("_Z") && !plain.starts_with("__Z")) return plain;
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> readable(
        abi::__cxa_demangle(plain.c_str(), nullptr, nullptr, &status), &std::free);
    if (status != 0 || readable == nullptr) return plain;
    return std::string(without_rust_hash(readable.get()));
}

}  // namespace leftover::symbols
