// What the fuzz targets share. Each target is a file with LLVMFuzzerTestOneInput(): linked with libFuzzer
// it searches for inputs (./dev fuzz), linked with replay.cpp it goes through those kept in corpus/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstdio>
#include <sstream>
#include <string>
#include <string_view>

#include "reporter/model/json.h"
#include "reporter/render/format.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace leftover::fuzz {

// Ends the program: that is how a finding is told.
[[noreturn]] inline void fail(std::string_view what, std::string_view seen) {
    std::fprintf(stderr, "%.*s\n%.*s\n", static_cast<int>(what.size()), what.data(),
                 static_cast<int>(seen.size()), seen.data());
    std::abort();
}

inline std::string written(const Report& report) {
    std::ostringstream out;
    write_json(report, out);
    return out.str();
}

// What we write we read, and write the same again.
inline void expect_round_trip(const Report& report) {
    const std::string once = written(report);
    std::string twice;
    try {
        twice = written(read_json(once, "written"));
    } catch (const std::exception& error) {
        fail(error.what(), once);
    }
    if (twice != once) fail("not the same when written again:\n" + once, twice);
}

// Every format takes every report.
inline void render_all(const Report& report) {
    for (const render::Format& format : render::formats()) {
        if (format.render == nullptr) continue;
        render::Options options;
        options.notes = options.all = options.colour = true;
        options.width = 80;
        std::ostringstream out;
        format.render(report, options, out);
    }
}

}  // namespace leftover::fuzz
