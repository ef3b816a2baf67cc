// What LEFTOVER_OPTIONS says beyond leftover::options.
#pragma once

#include <cstdint>
#include <string_view>

#include "preload/core/law.h"

namespace leftover::hand {

enum class Mode : std::uint8_t { report, clean, off };

struct Settings {
    Mode mode = Mode::report;
    bool report_always = false;
    bool help = false;
    int dump_signal = 0;  // 0: none
    std::uint64_t grace_ns = 1'000'000'000;
    std::uint64_t kill_after_ns = 5'000'000'000;
    char report[512] = "leftover.%p.json";
};

// Filled once, by configure(); any context reads it afterwards.
extern Settings settings;

// Takes over what `text`, the value of LEFTOVER_OPTIONS, sets; what is malformed keeps its default
// and, if `complain`, costs a line. At the start of the process.
void parse_options(std::string_view text, bool complain);

}  // namespace leftover::hand
