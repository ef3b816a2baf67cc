// Reports of earlier versions: they can be read, and are what they were.
#include <algorithm>
#include <filesystem>
#include <sstream>

#include <gtest/gtest.h>

#include "reporter/findings/fingerprint.h"
#include "reporter/model/json.h"
#include "reporter/model/read_file.h"
#include "reporter/policy/baseline.h"
#include "reporter/render/format.h"

namespace leftover {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> golden_reports() {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(LEFTOVER_SOURCE_DIR "/tests/golden")) {
        if (entry.path().extension() == ".json") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

TEST(Golden, ReportsAreWhatTheyWere) {
    EXPECT_GE(golden_reports().size(), 5u);
    for (const fs::path& file : golden_reports()) {
        SCOPED_TRACE(file.filename());
        Report report = read_json_file(file.string());
        findings::fingerprint(report);
        fs::path expected = file;
        expected.replace_extension(".baseline");
        EXPECT_EQ(policy::write_baseline(report, Severity::warning), read_file(expected.string()));
    }
}

TEST(Golden, ReportsCanBeShownInEveryFormat) {
    for (const fs::path& file : golden_reports()) {
        SCOPED_TRACE(file.filename());
        Report report = read_json_file(file.string());
        findings::fingerprint(report);
        for (const render::Format& format : render::formats()) {
            if (format.render == nullptr) continue;
            std::ostringstream out;
            format.render(report, {}, out);
            EXPECT_FALSE(out.view().empty()) << format.name;
        }
        std::ostringstream again;
        write_json(report, again);
        EXPECT_EQ(summarize(read_json(again.view(), "again")).by_kind, summarize(report).by_kind);
    }
}

}  // namespace
}  // namespace leftover
