#include <sstream>

#include <gtest/gtest.h>

#include "reporter/model/json.h"
#include "reporter/model/merge.h"
#include "sample_report.h"

namespace leftover::test {
namespace {

Report in_session(Report report, const std::string& id) {
    report.sessions.at(0).id = id;
    for (Leak& leak : report.leaks) leak.session = id;
    for (ProcessInfo& process : report.processes) process.session = id;
    return report;
}

const Stack& stack_of(const Report& report, const Leak& leak) {
    for (const Stack& stack : report.stacks) {
        if (stack.id == leak.stack) return stack;
    }
    throw std::runtime_error("no such stack");
}

Report through_json(const Report& report) {
    std::ostringstream out;
    write_json(report, out);
    return read_json(out.str(), "json");
}

TEST(Merge, OfNothingIsNothing) {
    const Report report = merge({});
    EXPECT_TRUE(report.sessions.empty());
    EXPECT_TRUE(report.leaks.empty());
}

TEST(Merge, OfOneKeepsEverything) {
    const Report report = merge({make_report()});
    std::ostringstream before;
    std::ostringstream after;
    write_json(make_report(), before);
    write_json(report, after);
    EXPECT_EQ(before.str(), after.str());
}

TEST(Merge, OfSeveralSessionsKeepsThemApart) {
    const Report report = merge({make_report(), in_session(make_report(), "s2")});
    EXPECT_EQ(report.sessions.size(), 2u);
    EXPECT_EQ(report.leaks.size(), 8u);
    EXPECT_EQ(report.processes.size(), 2u);
    EXPECT_EQ(report.leaks.front().session, "s1");
    EXPECT_EQ(report.leaks.back().session, "s2");
    EXPECT_EQ(summarize(report).errors, 8u);
}

TEST(Merge, SharesEqualStacksAndModules) {
    Report other = in_session(make_report(), "s2");
    // Numbered otherwise, with one stack and module of its own.
    other.modules.push_back({3, "/opt/app/libapp.so", "ff", 0x1000});
    for (Module& module : other.modules) module.id += 100;
    for (NativeFrame& frame : other.stacks[0].native) *frame.module += 100;
    other.stacks[0].id = 77;
    Stack own = other.stacks[0];
    own.id = 78;
    own.native.push_back({.address = 0x1010, .module = 103, .offset = 0x10, .function = {}, .file = {}});
    other.stacks.push_back(own);
    for (Leak& leak : other.leaks) {
        if (leak.stack) leak.stack = 77;
    }
    other.leaks[0].stack = 78;

    const Report report = merge({make_report(), other});
    EXPECT_EQ(report.modules.size(), 3u);
    EXPECT_EQ(report.stacks.size(), 2u);
    EXPECT_EQ(report.leaks[5].stack, report.leaks[0].stack);
    const Stack& special = stack_of(report, report.leaks[4]);
    ASSERT_EQ(special.native.size(), 3u);
    EXPECT_EQ(report.modules.at(static_cast<std::size_t>(*special.native[2].module) - 1).path,
              "/opt/app/libapp.so");
}

TEST(Merge, DropsReferencesThatLeadNowhere) {
    Report broken = make_report();
    broken.leaks[0].stack = 1000;
    broken.stacks[0].native[0].module = 1000;
    const Report report = merge({broken, in_session(make_report(), "s2")});
    EXPECT_EQ(report.leaks[0].stack, std::nullopt);
    EXPECT_EQ(stack_of(report, report.leaks[1]).native[0].module, std::nullopt);
}

TEST(Merge, UnitesReportsOfOneSession) {
    Report root = make_report();
    Report child = make_report();
    child.sessions[0].started_at += 100 * millisecond;
    child.sessions[0].duration_seconds = 20;
    child.sessions[0].command.clear();
    child.processes[0] = make_process_info(14, 12, {"python3", "worker.py"});
    child.leaks.push_back(make_semaphore("/worker", 14, 99));
    child.leaks[0].status = Status::cleaned;
    child.leaks[0].details.inode = root.leaks[0].details.inode;

    const Report report = merge({root, child});
    ASSERT_EQ(report.sessions.size(), 1u);
    EXPECT_EQ(report.sessions[0].command, (std::vector<std::string>{"python3", "train.py"}));
    EXPECT_EQ(report.sessions[0].started_at, start);
    EXPECT_NEAR(report.sessions[0].duration_seconds, 20.1, 1e-6);
    EXPECT_EQ(report.processes.size(), 2u);
    ASSERT_EQ(report.leaks.size(), 5u);
    EXPECT_EQ(report.leaks[0].status, Status::cleaned);
    EXPECT_EQ(report.leaks[4].name, "/worker");
}

TEST(Merge, KnowsALeakAgainAfterJson) {
    const Report report = merge({make_report(), through_json(make_report())});
    EXPECT_EQ(report.leaks.size(), 4u);
    EXPECT_EQ(report.processes.size(), 1u);
    EXPECT_EQ(report.stacks.size(), 1u);
}

TEST(Merge, ANameMadeAgainIsAnotherLeak) {
    Report later = make_report();
    later.leaks[0].details.inode = 4711;
    EXPECT_EQ(merge({make_report(), later}).leaks.size(), 5u);
}

TEST(Merge, EntriesOfOneReportAreNeverTheSame) {
    Report report = make_report();
    report.leaks.assign(2, make_leak(Kind::timer, "timer:0", 12));
    EXPECT_EQ(merge({report}).leaks.size(), 2u);
    EXPECT_EQ(merge({report, report}).leaks.size(), 2u);
}

TEST(Merge, KnowsAProcessAgainByItsStart) {
    Report later = make_report();
    later.processes[0].started_at += 5 * millisecond;  // as /proc tells it
    later.processes[0].exit = {};
    later.processes[0].counts[Kind::semaphore] = {5, 1, 4};
    Report reused = make_report();
    reused.processes[0].started_at += 5'000 * millisecond;
    const Report report = merge({make_report(), later, reused});
    ASSERT_EQ(report.processes.size(), 2u);
    EXPECT_EQ(report.processes[0].exit.signal, 15);
    EXPECT_EQ(report.processes[0].counts.at(Kind::semaphore).created, 5u);
}

TEST(Merge, AddsCleanups) {
    Report one = make_report();
    one.cleanup.emplace().reclaimed_bytes = 10;
    one.cleanup->actions.push_back({Kind::semaphore, "/a", 1, "unlink", "done", ""});
    Report two = in_session(one, "s2");
    const Report report = merge({one, two, in_session(make_report(), "s3")});
    ASSERT_TRUE(report.cleanup.has_value());
    EXPECT_EQ(report.cleanup->reclaimed_bytes, 20u);
    EXPECT_EQ(report.cleanup->actions.size(), 2u);
}

TEST(Merge, OfMergedReportsIsStable) {
    const Report merged = merge({make_report(), in_session(make_report(), "s2")});
    const Report again = merge({through_json(merged), make_report()});
    EXPECT_EQ(again.sessions.size(), 2u);
    EXPECT_EQ(again.leaks.size(), 8u);
}

}  // namespace
}  // namespace leftover::test
