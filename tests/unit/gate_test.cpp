// The exit status of `leftover run`.
#include "reporter/run/gate.h"

#include <gtest/gtest.h>

#include "reporter/run/options.h"

namespace leftover::run {
namespace {

Leak leak_of(Severity severity, Status status = Status::leaked) {
    Leak leak;
    leak.severity = severity;
    leak.status = status;
    return leak;
}

Report report_with(std::vector<Leak> leaks, bool instrumented = true) {
    Report report;
    report.leaks = std::move(leaks);
    ProcessInfo process;
    process.instrumented = instrumented;
    report.processes.push_back(process);
    return report;
}

Exit code(int value) {
    Exit exit;
    exit.code = value;
    return exit;
}

Exit signal(int value) {
    Exit exit;
    exit.signal = value;
    return exit;
}

const GateOptions on{true, Severity::error, 23};
const GateOptions off{};

TEST(Gate, countsAtAndAboveItsSeverity) {
    const Report report = report_with(
        {leak_of(Severity::error), leak_of(Severity::warning), leak_of(Severity::note)});
    EXPECT_EQ(gate_count(report, Severity::error), 1U);
    EXPECT_EQ(gate_count(report, Severity::warning), 2U);
    EXPECT_EQ(gate_count(report, Severity::note), 3U);
}

TEST(Gate, countsWhatWasCleanedAndNotWhatIsExcused) {
    const Report report = report_with(
        {leak_of(Severity::error, Status::cleaned), leak_of(Severity::error, Status::failed),
         leak_of(Severity::error, Status::in_use), leak_of(Severity::error, Status::suppressed),
         leak_of(Severity::error, Status::baseline)});
    EXPECT_EQ(gate_count(report, Severity::error), 2U);
}

TEST(Gate, decidesOnlyWhereTheProgramSucceeded) {
    const Report leaks = report_with({leak_of(Severity::error)});
    const Report clean = report_with({});
    EXPECT_EQ(judge_exit(code(0), on, leaks, false), Verdict::gate);
    EXPECT_EQ(judge_exit(code(0), on, clean, false), Verdict::program);
    EXPECT_EQ(judge_exit(code(0), off, leaks, false), Verdict::program);
    EXPECT_EQ(judge_exit(code(1), on, leaks, false), Verdict::program);
    EXPECT_EQ(judge_exit(signal(9), on, leaks, false), Verdict::program);
}

TEST(Gate, ownTroubleComesBeforeTheGateAndBehindTheProgram) {
    const Report leaks = report_with({leak_of(Severity::error)});
    EXPECT_EQ(judge_exit(code(0), on, leaks, true), Verdict::trouble);
    EXPECT_EQ(judge_exit(code(0), off, leaks, true), Verdict::trouble);
    EXPECT_EQ(judge_exit(code(2), on, leaks, true), Verdict::program);
}

TEST(Gate, needsSomethingInstrumented) {
    EXPECT_EQ(judge_exit(code(0), on, report_with({}, false), false), Verdict::not_instrumented);
    EXPECT_EQ(judge_exit(code(0), off, report_with({}, false), false), Verdict::program);
    Report mixed = report_with({}, false);
    mixed.processes.emplace_back();
    EXPECT_EQ(judge_exit(code(0), on, mixed, false), Verdict::program);
}

TEST(Gate, CannotTellFromADamagedRecord) {
    Report damaged = report_with({});
    damaged.sessions.resize(1);
    damaged.sessions.front().complete = false;
    EXPECT_EQ(judge_exit(code(0), on, damaged, false), Verdict::incomplete);
    EXPECT_EQ(judge_exit(code(0), off, damaged, false), Verdict::program);
    EXPECT_EQ(judge_exit(code(3), on, damaged, false), Verdict::program);
}

TEST(Gate, notesAreToldOnlyWhenTheyCount) {
    const Report notes = report_with({leak_of(Severity::note)});
    EXPECT_FALSE(is_worth_telling(notes, Severity::error));
    EXPECT_FALSE(is_worth_telling(notes, Severity::warning));
    EXPECT_TRUE(is_worth_telling(notes, Severity::note));
    EXPECT_TRUE(is_worth_telling(report_with({leak_of(Severity::warning)}), Severity::error));
    EXPECT_FALSE(is_worth_telling(report_with({leak_of(Severity::error, Status::suppressed)}),
                                  Severity::error));
}

TEST(Kinds, listsAddUpAndMinusTakesAway) {
    using record::bit;
    EXPECT_EQ(parse_kinds("semaphore,process"), bit(Kind::semaphore) | bit(Kind::process));
    EXPECT_EQ(parse_kinds("-file_descriptor,-timer"),
              record::all_kinds & ~bit(Kind::file_descriptor) & ~bit(Kind::timer));
    EXPECT_EQ(parse_kinds("thread,timer,-thread"), bit(Kind::timer));
    EXPECT_EQ(parse_kinds("all"), record::all_kinds);
    for (const char* wrong : {"semaphores", "semaphore,", ",", "", "-", "semaphore process"}) {
        EXPECT_THROW(parse_kinds(wrong), std::runtime_error) << wrong;
    }
}

}  // namespace
}  // namespace leftover::run
