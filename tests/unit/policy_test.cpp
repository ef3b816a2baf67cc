// Suppressions, baselines, and what they do to a report.
#include "reporter/policy/policy.h"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reporter/findings/diff.h"
#include "reporter/findings/fingerprint.h"
#include "reporter/findings/reasons.h"
#include "reporter/model/json.h"
#include "reporter/render/format.h"
#include "sample_report.h"
#include "tests/support/temporary_folder.h"
#include "trouble.h"

namespace leftover::test {
namespace {

using policy::parse_suppressions;
using policy::Suppression;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* day = "2026-06-15";

std::string trouble_of(const std::string& text) {
    return trouble_in([&] { parse_suppressions(text, "x.supp"); });
}

TEST(Suppressions, AreReadLineByLine) {
    const auto entries = parse_suppressions(
        "# comment\n\n"
        "semaphore:/mp-*\n"
        "  *:frame=make_locks  # why not\n"
        "thread:top=\"a b(\\\"x\\\")\" reason=\"known: #12, \\\"old\\\"\" expires=2026-12-31\r\n"
        "socket_file:*/a#b.sock reason=short\n",
        "x.supp");
    ASSERT_EQ(entries.size(), 4u);
    EXPECT_EQ(entries[0].kind, Kind::semaphore);
    EXPECT_EQ(entries[0].where, Suppression::Where::name);
    EXPECT_EQ(entries[0].glob, "/mp-*");
    EXPECT_EQ(entries[0].source, "x.supp:3");
    EXPECT_EQ(entries[1].kind, std::nullopt);
    EXPECT_EQ(entries[1].where, Suppression::Where::frame);
    EXPECT_EQ(entries[1].text, "*:frame=make_locks");
    EXPECT_EQ(entries[2].glob, "a b(\"x\")");
    EXPECT_EQ(entries[2].reason, "known: #12, \"old\"");
    EXPECT_EQ(entries[2].expires, "2026-12-31");
    EXPECT_EQ(entries[3].glob, "*/a#b.sock");
    EXPECT_EQ(entries[3].reason, "short");
}

TEST(Suppressions, SayWhatIsWrongAndWhere) {
    EXPECT_THAT(trouble_of("\nsemaphores:x"), HasSubstr("x.supp:2: there is no kind 'semaphores'; valid are *, process"));
    EXPECT_THAT(trouble_of("/mp-*"), HasSubstr("x.supp:1: '/mp-*' is not kind:pattern"));
    EXPECT_THAT(trouble_of("thread:"), HasSubstr("the pattern is missing"));
    EXPECT_THAT(trouble_of("thread:top="), HasSubstr("the pattern is missing"));
    EXPECT_THAT(trouble_of("thread:a b"), HasSubstr("'b' is neither reason"));
    EXPECT_THAT(trouble_of("thread:\"a"), HasSubstr("not closed"));
    EXPECT_THAT(trouble_of("thread:a reason=\"x\"expires=2026-01-01"), HasSubstr("a blank is missing"));
    EXPECT_THAT(trouble_of("thread:a expires=tomorrow"), HasSubstr("is no date"));
    EXPECT_THAT(trouble_of("thread:a expires=2026-02-31"), HasSubstr("is no date"));
    EXPECT_THAT(trouble_of("thread:\x1b[31m b"), HasSubstr("'b' is neither"));
}

// The leaks of the sample report that are suppressed: their names.
std::vector<std::string> suppressed_by(const std::string& entries, Report report = make_report()) {
    const TemporaryFolder folder;
    const std::string file = (folder.path() / "x.supp").string();
    std::ofstream(file) << entries;
    policy::Policy policy;
    policy.add_suppressions(file);
    findings::fingerprint(report);
    policy.apply(report, day);
    std::vector<std::string> names;
    for (const Leak& leak : report.leaks) {
        if (leak.status == Status::suppressed) names.push_back(leak.name);
    }
    return names;
}

TEST(Suppressions, MatchNames) {
    EXPECT_THAT(suppressed_by("semaphore:/mp-[12]"), ElementsAre("/mp-1", "/mp-2"));
    EXPECT_THAT(suppressed_by("*:python*"), ElementsAre("python3.11"));
    EXPECT_THAT(suppressed_by("shared_memory:*"), IsEmpty());
    EXPECT_THAT(suppressed_by("semaphore:mp-1"), IsEmpty());
}

TEST(Suppressions, MatchFrames) {
    const auto all = ElementsAre("/mp-0", "/mp-1", "/mp-2");
    EXPECT_THAT(suppressed_by("*:frame=main"), all);
    EXPECT_THAT(suppressed_by("*:frame=__init__"), all);
    EXPECT_THAT(suppressed_by("*:frame=synchronize.py"), all);
    EXPECT_THAT(suppressed_by("*:frame=*/multiprocessing/*"), all);
    EXPECT_THAT(suppressed_by("*:frame=sem_open"), all);
    EXPECT_THAT(suppressed_by("*:frame=python3.1?"), all);  // a module without a function
    EXPECT_THAT(suppressed_by("*:frame=mai"), IsEmpty());
}

// The standard library and the C library are nobody's top.
TEST(Suppressions, MatchTheTopFrame) {
    const auto all = ElementsAre("/mp-0", "/mp-1", "/mp-2");
    EXPECT_THAT(suppressed_by("*:top=main"), all);
    EXPECT_THAT(suppressed_by("*:top=train.py"), all);
    EXPECT_THAT(suppressed_by("*:top=__init__"), IsEmpty());
    EXPECT_THAT(suppressed_by("*:top=sem_open"), IsEmpty());
    Report report = make_report();
    report.stacks[0].python[0].file = "/venv/lib/python3.12/site-packages/joblib/x.py";
    EXPECT_THAT(suppressed_by("*:top=__init__", report), all);
    EXPECT_THAT(suppressed_by("*:top=main", report), IsEmpty());
}

TEST(Suppressions, Expire) {
    EXPECT_THAT(suppressed_by("*:/mp-1 expires=2026-06-15"), ElementsAre("/mp-1"));
    EXPECT_THAT(suppressed_by("*:/mp-1 expires=2026-06-14"), IsEmpty());
}

TEST(Suppressions, AreAccountedFor) {
    const TemporaryFolder folder;
    const std::string file = (folder.path() / "x.supp").string();
    std::ofstream(file) << "*:/mp-1\n*:/nothing\n*:/mp-* expires=2026-01-01\n";
    policy::Policy policy;
    policy.add_suppressions(file);
    Report report = make_report();
    findings::fingerprint(report);
    const auto outcome = policy.apply(report, day);
    EXPECT_THAT(outcome.suppressions, ElementsAre(1, 0, 3));
    EXPECT_TRUE(policy.is_stale(outcome, day));
    EXPECT_THAT(policy.account(outcome, day),
                ElementsAre("suppressions: 1 used, 1 unused, 1 expired", "unused: *:/nothing (" + file + ":2)",
                            "expired on 2026-01-01: *:/mp-* (" + file + ":3; would match 3)"));
    EXPECT_THAT(policy::Policy().account({}, day), IsEmpty());
    EXPECT_FALSE(policy::Policy().is_stale({}, day));
}

// `run` applies the policy before frames have their names, and JSON does not keep reasons.
TEST(Suppressions, TheReasonIsThereInTheEnd) {
    Report report = make_report();
    for (Leak& leak : report.leaks) leak.fingerprint.clear();
    report.leaks.push_back(make_process(20, 12));
    report.leaks.back().name = "gpg-agent";
    report.leaks.back().details.more.edit().command = {"gpg-agent", "--daemon"};
    report.leaks.push_back(make_process(21, 12));
    report.leaks.back().name = "git";
    report.leaks.back().details.more.edit().command = {"git", "gc", "--auto", "--quiet"};
    policy::Policy().apply(report, day);
    findings::fingerprint(report);
    const auto reasons = [](const Report& of) {
        std::vector<std::string> found;
        for (const findings::Finding& finding : findings::find(of, {true, true})) {
            if (findings::excuse_of(finding) == Status::suppressed) found.push_back(findings::reason_of(of, finding));
        }
        return found;
    };
    const std::vector<std::string> at_once = reasons(report);
    ASSERT_EQ(at_once.size(), 2U);
    EXPECT_FALSE(at_once[0].empty() || at_once[1].empty());
    EXPECT_NE(at_once[0], at_once[1]);

    std::ostringstream json;
    write_json(report, json);
    Report again = read_json(json.str(), "x");
    policy::Policy().apply(again, day);
    EXPECT_EQ(reasons(again), at_once);
    for (const auto renderer : {render::text, render::markdown, render::junit, render::sarif}) {
        std::ostringstream out;
        render::Options options;
        options.excused = true;
        renderer(again, options, out);
        EXPECT_THAT(out.str(), HasSubstr(at_once[0].substr(0, at_once[0].find_first_of("'&<>-")))) << at_once[0];
    }
}

TEST(Suppressions, BuiltInOnesExcuseHelpers) {
    const auto status = [](const char* name, std::vector<std::string> command, bool alone = true) {
        Report report;
        report.leaks.push_back(make_process(20, 12));
        report.leaks[0].name = name;
        report.leaks[0].details.more.edit().command = std::move(command);
        if (!alone) report.leaks.push_back(make_process(21, 12));
        policy::Policy().apply(report, day);
        return report.leaks[0].status;
    };
    EXPECT_EQ(status("gpg-agent", {"gpg-agent", "--daemon"}), Status::suppressed);
    EXPECT_EQ(status("git", {"git", "gc", "--auto", "--quiet"}), Status::suppressed);
    EXPECT_EQ(status("git", {"git", "daemon"}), Status::leaked);
    const std::vector<std::string> tracker{"python3", "-c",
                                           "from multiprocessing.resource_tracker import main;main(4)"};
    EXPECT_EQ(status("python3.11", tracker), Status::suppressed);
    // With workers that hold its pipe it stays as long as they do.
    EXPECT_EQ(status("python3.11", tracker, false), Status::leaked);
}

TEST(Suppressions, AreSuggested) {
    Report report = make_report();
    report.leaks.pop_back();
    report.leaks.push_back(make_leak(Kind::semaphore, "/job s", 12));
    findings::fingerprint(report);
    const std::string lines = policy::suggest_suppressions(report, false);
    EXPECT_THAT(lines, HasSubstr("# 3 semaphores, main at train.py:14, v1:"));
    EXPECT_THAT(lines, HasSubstr("\nsemaphore:top=main reason=\""));
    EXPECT_THAT(lines, HasSubstr("\nsemaphore:\"/job s\" reason=\""));
    EXPECT_THAT(suppressed_by(lines, report), ElementsAre("/mp-0", "/mp-1", "/mp-2", "/job s"));
}

TEST(Baseline, IsOneSortedLineAFinding) {
    Report report = make_report();
    report.leaks.push_back(make_leak(Kind::semaphore, "/a b", 12));
    report.leaks.push_back(make_leak(Kind::file_descriptor, "/tmp/x", 12));
    report.leaks[0].status = Status::baseline;
    findings::fingerprint(report);
    const std::string text = policy::write_baseline(report, Severity::warning);
    const auto entries = policy::parse_baseline(text, "b");
    ASSERT_EQ(entries.size(), 3u);
    EXPECT_TRUE(std::is_sorted(entries.begin(), entries.end(),
                               [](const auto& a, const auto& b) { return a.fingerprint < b.fingerprint; }));
    EXPECT_THAT(text, HasSubstr(report.leaks[1].fingerprint.str() + " semaphore /mp-* train.py:main\n"));
    EXPECT_THAT(text, HasSubstr(" semaphore /a_b -\n"));
    EXPECT_THAT(text, HasSubstr(" process python* -\n"));
    EXPECT_EQ(policy::parse_baseline(policy::write_baseline(report, Severity::note), "b").size(), 4u);
}

TEST(Baseline, IsRefusedWhenItIsNone) {
    EXPECT_THROW(policy::parse_baseline("{\"schema\": 1}\n", "r.json"), std::runtime_error);
    EXPECT_THROW(policy::parse_baseline("v1:12 x\n", "r.json"), std::runtime_error);
    EXPECT_TRUE(policy::parse_baseline("# made by hand\n\n", "b").empty());
}

TEST(Baseline, ExcusesItsFindingsAndTellsWhatIsGone) {
    const TemporaryFolder folder;
    const std::string file = (folder.path() / "b").string();
    Report report = make_report();
    findings::fingerprint(report);
    std::ofstream(file) << report.leaks[0].fingerprint.str() << " semaphore /mp-* train.py:main\r\n"
                        << "v1:00000000000000aa semaphore /old old.py:f\n";
    policy::Policy policy;
    policy.add_baseline(file);
    const auto outcome = policy.apply(report, day);
    EXPECT_EQ(report.leaks[0].status, Status::baseline);
    EXPECT_EQ(report.leaks[2].status, Status::baseline);
    EXPECT_EQ(report.leaks[3].status, Status::leaked);
    EXPECT_EQ(summarize(report).baseline, 3u);
    EXPECT_EQ(summarize(report).leaks, 1u);
    EXPECT_THAT(policy.gone(outcome), ElementsAre("v1:00000000000000aa semaphore /old old.py:f"));
}

TEST(Diff, IsByFingerprint) {
    Report before = make_report();
    Report after = make_report();
    before.leaks.erase(before.leaks.begin(), before.leaks.begin() + 2);
    before.leaks.push_back(make_leak(Kind::shared_memory, "/gone", 12));
    after.stacks[0].python[2].line = 99;
    after.leaks.push_back(make_leak(Kind::message_queue, "/new", 12));
    after.leaks.push_back(make_leak(Kind::timer, "timer:1", 12));
    findings::fingerprint(before);
    findings::fingerprint(after);
    const findings::Diff diff = findings::compare(before, after, Severity::warning);
    ASSERT_EQ(diff.added.size(), 1u);
    EXPECT_EQ(diff.added[0].finding->pattern, "/new");
    ASSERT_EQ(diff.gone.size(), 1u);
    EXPECT_EQ(diff.gone[0].finding->pattern, "/gone");
    ASSERT_EQ(diff.unchanged.size(), 2u);
    EXPECT_EQ(diff.unchanged[0].before, 1u);
    EXPECT_EQ(diff.unchanged[0].after, 3u);
}

}  // namespace
}  // namespace leftover::test
