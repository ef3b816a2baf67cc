#include <gtest/gtest.h>

#include "reporter/model/names.h"
#include "sample_report.h"

namespace leftover::test {
namespace {

Leak with_status(Kind kind, Status status) {
    Leak leak = make_leak(kind, "x", 12);
    leak.status = status;
    return leak;
}

TEST(Summary, CountsErrorsAndWarningsAsLeaksButNotNotes) {
    Report report;
    report.leaks = {with_status(Kind::semaphore, Status::leaked),
                    with_status(Kind::zombie, Status::leaked),
                    with_status(Kind::file_descriptor, Status::leaked)};
    const Summary summary = summarize(report);
    EXPECT_EQ(summary.leaks, 2u);
    EXPECT_EQ(summary.errors, 1u);
    EXPECT_EQ(summary.warnings, 1u);
    EXPECT_EQ(summary.notes, 1u);
    EXPECT_EQ(summary.by_kind.at(Kind::file_descriptor), 1u);
}

TEST(Summary, CountsCleanedFailedAndInUseButNotSuppressedAndBaseline) {
    Report report;
    for (const Status status : {Status::leaked, Status::cleaned, Status::in_use, Status::failed,
                                Status::suppressed, Status::baseline}) {
        report.leaks.push_back(with_status(Kind::process, status));
    }
    const Summary summary = summarize(report);
    EXPECT_EQ(summary.leaks, 4u);
    EXPECT_EQ(summary.cleaned, 1u);
    EXPECT_EQ(summary.in_use, 1u);
    EXPECT_EQ(summary.failed, 1u);
    EXPECT_EQ(summary.suppressed, 1u);
    EXPECT_EQ(summary.baseline, 1u);
    EXPECT_EQ(summary.by_kind.at(Kind::process), 4u);
}

TEST(Summary, SeverityIsTheLeaksOwn) {
    Report report;
    report.leaks.push_back(make_leak(Kind::thread, "worker", 12));
    report.leaks.back().severity = Severity::note;  // it still runs
    EXPECT_EQ(summarize(report).leaks, 0u);
    EXPECT_EQ(summarize(report).notes, 1u);
}

TEST(Summary, TakesReclaimedBytesFromTheCleanup) {
    Report report;
    EXPECT_EQ(summarize(report).reclaimed_bytes, 0u);
    report.cleanup.emplace().reclaimed_bytes = 4096;
    EXPECT_EQ(summarize(report).reclaimed_bytes, 4096u);
}

TEST(Names, GoThereAndBack) {
    for (std::size_t i = 0; i < record::kind_count; ++i) {
        const auto kind = static_cast<Kind>(i);
        EXPECT_EQ(kind_by_name(name_of(kind)), kind);
    }
    for (const Status status : {Status::leaked, Status::cleaned, Status::in_use, Status::failed,
                                Status::suppressed, Status::baseline}) {
        EXPECT_EQ(status_by_name(name_of(status)), status);
    }
    for (const Severity severity : {Severity::note, Severity::warning, Severity::error}) {
        EXPECT_EQ(severity_by_name(name_of(severity)), severity);
    }
    EXPECT_EQ(kind_by_name("semaphores"), std::nullopt);
}

TEST(Names, OfSignals) {
    EXPECT_EQ(signal_name(15), "SIGTERM");
    EXPECT_EQ(signal_name(64), "SIGRTMIN+30");
    EXPECT_EQ(signal_name(99), "signal 99");
    for (int signal = 1; signal <= 64; ++signal) {
        EXPECT_EQ(signal_by_name(signal_name(signal)), signal);
    }
    EXPECT_EQ(signal_by_name("USR1"), 10);
    EXPECT_EQ(signal_by_name("RTMIN+99"), std::nullopt);
    EXPECT_EQ(signal_by_name("SIGNONSENSE"), std::nullopt);
}

}  // namespace
}  // namespace leftover::test
