// Fields of a JSON object into C++ values, for the reader of reports.
#pragma once

#include <charconv>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include <nlohmann/json.hpp>

#include "reporter/model/shared_text.h"

namespace leftover::fields {

using nlohmann::json;

// A field that is not what the schema says; the message says where in the element and what.
class Error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

[[noreturn]] inline void fail(std::string_view key, std::string_view expected) {
    throw Error(std::string(key) + ": " + std::string(expected) + " expected");
}

inline void convert(const json& value, std::string_view key, std::string& to) {
    if (!value.is_string()) fail(key, "text");
    to = value.get_ref<const std::string&>();
}

inline void convert(const json& value, std::string_view key, SharedText& to) {
    if (!value.is_string()) fail(key, "text");
    to = value.get_ref<const std::string&>();
}

inline void convert(const json& value, std::string_view key, bool& to) {
    if (!value.is_boolean()) fail(key, "true or false");
    to = value.get<bool>();
}

inline void convert(const json& value, std::string_view key, double& to) {
    if (!value.is_number()) fail(key, "a number");
    to = value.get<double>();
}

inline void convert(const json& value, std::string_view key, std::uint64_t& to) {
    if (!value.is_number_unsigned()) fail(key, "a whole number, not negative,");
    to = value.get<std::uint64_t>();
}

inline void convert(const json& value, std::string_view key, int& to) {
    if (!value.is_number_integer()) fail(key, "a whole number");
    constexpr auto most = std::numeric_limits<int>::max();
    if (value.is_number_unsigned() && value.get<std::uint64_t>() > std::uint64_t{most}) {
        fail(key, "a smaller number");
    }
    const auto number = value.get<std::int64_t>();
    if (number < std::numeric_limits<int>::min()) fail(key, "a larger number");
    to = static_cast<int>(number);
}

inline void convert(const json& value, std::string_view key, std::vector<std::string>& to) {
    if (!value.is_array()) fail(key, "a list");
    to.clear();
    to.reserve(value.size());
    for (const json& element : value) convert(element, key, to.emplace_back());
}

template <class Value>
void convert(const json& value, std::string_view key, std::optional<Value>& to) {
    convert(value, key, to.emplace());
}

// Leaves `to` as it is when the field is missing or null. The object must be one.
template <class Value>
void get(const json& object, const char* key, Value& to) {
    const auto field = object.find(key);
    if (field != object.end() && !field->is_null()) convert(*field, key, to);
}

// An address: "0x12ab".
inline void get_hex(const json& object, const char* key, std::uint64_t& to) {
    std::string text;
    get(object, key, text);
    if (text.empty()) return;
    const char* end = text.data() + text.size();
    if (!text.starts_with("0x")) fail(key, "a number like \"0x12ab\"");
    const auto result = std::from_chars(text.data() + 2, end, to, 16);
    if (result.ec != std::errc() || result.ptr != end) fail(key, "a number like \"0x12ab\"");
}

inline void expect_object(const json& value, std::string_view key) {
    if (!value.is_object()) fail(key, "an object");
}

// Fields without which the object means nothing; null counts as there.
inline void expect_fields(const json& object, std::initializer_list<const char*> keys) {
    for (const char* key : keys) {
        if (object.find(key) == object.end()) throw Error(std::string(key) + ": missing");
    }
}

// The field if it is an object, null if it is missing or null.
inline const json* get_object(const json& object, const char* key) {
    const auto field = object.find(key);
    if (field == object.end() || field->is_null()) return nullptr;
    expect_object(*field, key);
    return &*field;
}

// The field if it is a list, null if it is missing or null.
inline const json* get_list(const json& object, const char* key) {
    const auto field = object.find(key);
    if (field == object.end() || field->is_null()) return nullptr;
    if (!field->is_array()) fail(key, "a list");
    return &*field;
}

}  // namespace leftover::fields
