#include "reporter/symbols/demangle.h"

#include <array>
#include <cstdlib>
#include <cxxabi.h>
#include <memory>
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
    if (!plain.starts_with("_Z") && !plain.starts_with("__Z")) return plain;
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> readable(
        abi::__cxa_demangle(plain.c_str(), nullptr, nullptr, &status), &std::free);
    if (status != 0 || readable == nullptr) return plain;
    return std::string(without_rust_hash(readable.get()));
}

}  // namespace leftover::symbols
