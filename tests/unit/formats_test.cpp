// What the formats do at their limits; what they look like is in e2e/formats.py.
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "reporter/findings/fingerprint.h"
#include "reporter/render/format.h"
#include "reporter/render/markup.h"
#include "reporter/render/uri.h"
#include "reporter/render/wrap.h"
#include "sample_report.h"

namespace leftover::test {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string rendered(const char* format, Report report, bool notes = false) {
    findings::fingerprint(report);
    std::ostringstream out;
    render::Options options;
    options.notes = notes;
    render::format_by_name(format).render(report, options, out);
    return out.str();
}

// So many places, each with a leak.
Report report_with_places(int count) {
    Report report = make_report();
    report.leaks.clear();
    for (int i = 0; i < count; ++i) {
        Stack stack = report.stacks[0];
        stack.id = i + 2;
        std::string letters;
        for (int n = i; n > 0; n /= 26) letters += static_cast<char>('a' + n % 26);
        stack.python[2].function = "make_" + letters;
        report.stacks.push_back(stack);
        Leak leak = make_semaphore("/mp-abcdefgh", 12, 1);
        leak.stack = stack.id;
        report.leaks.push_back(leak);
    }
    return report;
}

TEST(Sarif, CutsAtWhatServicesTakeAndSaysSo) {
    const auto all = nlohmann::json::parse(rendered("sarif", report_with_places(25'000)));
    EXPECT_EQ(all["runs"][0]["results"].size(), 25'000u);
    EXPECT_FALSE(all["runs"][0]["invocations"][0].contains("toolExecutionNotifications"));
    const auto cut = nlohmann::json::parse(rendered("sarif", report_with_places(25'007)));
    EXPECT_EQ(cut["runs"][0]["results"].size(), 25'000u);
    EXPECT_THAT(cut["runs"][0]["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"],
                HasSubstr("7 findings more than the 25000"));
}

TEST(Sarif, ShowsWhatHasNoPlaceAtTheProgram) {
    Report report = make_report();
    report.leaks.erase(report.leaks.begin(), report.leaks.begin() + 3);
    const auto log = nlohmann::json::parse(rendered("sarif", report));
    EXPECT_EQ(log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
              "python3");
}

TEST(Markdown, StaysBelowAMebibyteAndSaysSo) {
    const std::string small = rendered("markdown", report_with_places(100));
    EXPECT_THAT(small, Not(HasSubstr("Cut off")));
    EXPECT_THAT(small, HasSubstr("<details>"));
    for (const int count : {5'000, 20'000}) {
        const std::string text = rendered("markdown", report_with_places(count));
        EXPECT_LT(text.size(), std::size_t{1} << 20);
        EXPECT_GT(text.size(), 900'000u);
        EXPECT_THAT(text, HasSubstr("**Cut off here: a summary must be below 1 MiB.**"));
    }
}

TEST(Markdown, SaysWhenNothingIsLeft) {
    Report report = make_report();
    report.leaks.clear();
    EXPECT_EQ(rendered("markdown", report), "## leftover: nothing left over\n");
}

TEST(Markup, IsNotWhatProgramsSay) {
    EXPECT_EQ(render::markdown_text("<b> & a_b | c"), "&#60;b&#62; &#38; a&#95;b &#124; c");
    EXPECT_EQ(render::markdown_text("- x-y"), "&#45; x-y");
    EXPECT_EQ(render::markdown_code(""), "-");
    EXPECT_EQ(render::xml_text("a\x1b\n\xff\xef\xbf\xbf"), "a\\x1b\\n\ufffd\ufffd");
    EXPECT_EQ(render::uri_of("/a b/c%\xff.py"), "file:///a%20b/c%25%FF.py");
    EXPECT_EQ(render::uri_of("x:y"), "x%3Ay");
}

TEST(Junit, HasACaseForEachSessionOrLabelledTest) {
    Report report = make_report();
    for (int i = 2; i <= 4; ++i) {
        report.sessions.push_back(report.sessions[0]);
        report.sessions.back().id = "s" + std::to_string(i);
    }
    report.sessions[2].labels["test"] = "unit";
    report.sessions[3].labels["test"] = "unit";
    report.leaks[1].session = "s3";
    const std::string text = rendered("junit", report);
    EXPECT_THAT(text, HasSubstr("tests=\"3\" failures=\"2\""));
    EXPECT_THAT(text, HasSubstr("<testcase name=\"s1: python3 train.py\""));
    EXPECT_THAT(text, HasSubstr("<testcase name=\"s2: python3 train.py\" classname=\"leftover\" time=\"12.500\" />"));
    EXPECT_THAT(text, HasSubstr("<testcase name=\"unit\" classname=\"leftover\" time=\"25.000\">"));
    EXPECT_THAT(text, HasSubstr("message=\"left over: 1 process, 2 semaphores\""));
}

TEST(Gitlab, LeavesOutWhatIsExcused) {
    Report report = make_report();
    report.leaks[3].status = Status::suppressed;
    EXPECT_EQ(nlohmann::json::parse(rendered("gitlab", report)).size(), 1u);
    report.leaks.clear();
    EXPECT_EQ(nlohmann::json::parse(rendered("gitlab", report)).size(), 0u);
}

TEST(Ndjson, IsEmptyWithoutLeaks) {
    Report report = make_report();
    report.leaks.clear();
    EXPECT_EQ(rendered("ndjson", report), "");
}

TEST(Folded, CountsEachStackOnce) {
    EXPECT_EQ(rendered("folded", make_report()),
              "(not recorded);[process] 1\n"
              "train.py:main;<frozen importlib._bootstrap>:_find_and_load;synchronize.py:__init__;sem_open;"
              "[semaphore] 3\n");
}

TEST(Wrap, BreaksAtBlanksAndCountsNoColours) {
    const std::string words(50, 'x');
    EXPECT_EQ(render::wrap("  one two three four five six seven eight nine ten\nshort\n", 41),
              "  one two three four five six seven eight\n      nine ten\nshort\n");
    EXPECT_EQ(render::wrap(words, 40), std::string(40, 'x') + "\n    " + std::string(10, 'x'));
    const std::string colour = "\x1b[1;31m";
    const std::string coloured = colour + std::string(40, 'x') + "\x1b[0m";
    EXPECT_EQ(render::wrap(coloured, 40), coloured);
    EXPECT_EQ(render::wrap("", 40), "");
}

}  // namespace
}  // namespace leftover::test
