// What was done about what is left over, as it will stand in the report. Lives in the evidence's pool.
#pragma once

#include <cstdint>
#include <string_view>

#include "preload/core/law.h"
#include "preload/hand/pool.h"
#include "preload/record/kinds.h"

namespace leftover::hand {

using record::Kind;

enum class Status : std::uint8_t { leaked, cleaned, in_use, failed };

// How an attempt at one item went. `gone`: somebody else had been faster.
enum class Result : std::uint8_t { done, gone, in_use, failed };

struct Attempt {
    Result result;
    std::string_view why;  // in_use, failed; a literal
    std::uint64_t bytes;   // of memory that it freed
};

inline Attempt done(std::uint64_t bytes = 0) { return {Result::done, {}, bytes}; }
inline Attempt gone() { return {Result::gone, {}, 0}; }
inline Attempt in_use(std::string_view why) { return {Result::in_use, why, 0}; }
inline Attempt failed(std::string_view why) { return {Result::failed, why, 0}; }

struct Action {
    Kind kind;
    int pid;
    std::string_view name, action;
    Result result;
    std::string_view error;
};

struct Cleanup {
    bool done = false;  // else there was none
    std::uint64_t started_ns = 0;
    std::uint64_t duration_ns = 0;
    std::uint64_t reclaimed_bytes = 0;
    List<Action> actions;
};

}  // namespace leftover::hand
