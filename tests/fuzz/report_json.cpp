// JSON reports, as `leftover report` reads, merges, names and shows them.
#include <stdexcept>

#include "reporter/findings/fingerprint.h"
#include "reporter/model/merge.h"
#include "tests/fuzz/fuzz.h"

using namespace leftover;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    Report report;
    try {
        report = read_json(text, "input");
    } catch (const std::runtime_error&) {
        return 0;  // the one line for the user
    }
    fuzz::expect_round_trip(report);
    Report merged = merge({report, report});
    findings::fingerprint(merged);
    fuzz::expect_round_trip(merged);
    fuzz::render_all(merged);
    return 0;
}
