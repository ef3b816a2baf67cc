// What hangs: in the report, in its text, and who waits for whom.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "reporter/hang/refusal.h"
#include "reporter/kernel/sockets.h"
#include "reporter/model/json.h"
#include "reporter/model/merge.h"
#include "reporter/render/format.h"
#include "reporter/render/hang_graph.h"
#include "tests/unit/sample_report.h"

namespace leftover::test {
namespace {

using testing::HasSubstr;
using testing::Not;

HangThread make_thread(int tid, std::string waiting_on, std::vector<WaitsFor> waits_for) {
    HangThread thread;
    thread.tid = tid;
    thread.name = "python3";
    thread.state = waiting_on.empty() ? "R" : "S";
    thread.waiting_on = std::move(waiting_on);
    thread.waits_for = std::move(waits_for);
    return thread;
}

HangProcess make_hanging(int pid, std::vector<HangThread> threads) {
    HangProcess process;
    process.pid = pid;
    process.command = {"python3", "train.py"};
    process.threads = std::move(threads);
    return process;
}

// 12 waits for its thread 13, which waits for process 14, which reads from a pipe of 12's.
Report make_hang() {
    Report report = make_report();
    report.leaks.clear();
    report.sessions[0].exit = {};
    report.sessions[0].timed_out = true;
    HangThread main = make_thread(12, "the end of thread 13", {{12, 13}});
    main.python = {{"_wait_for_tstate_lock", "/usr/lib/python3.11/threading.py", 1112},
                   {"_python_exit", "/usr/lib/python3.11/concurrent/futures/process.py", 95}};
    HangThread joiner = make_thread(13, "wait4 for pid 14", {{14, 0}});
    joiner.python = {{"wait", "/usr/lib/python3.11/multiprocessing/popen_fork.py", 27}, {"tidy", "train.py", 8}};
    NativeFrame frame;
    frame.address = 0x7f0000001234;
    frame.module = 1;
    frame.offset = 0x1234;
    joiner.native = {frame};
    HangThread worker = make_thread(14, "read from pipe:[7], written by pid 12", {{12, 0}});
    worker.python = {{"work", "train.py", 20}};
    report.hang.emplace();
    report.hang->processes = {make_hanging(12, {main, joiner}), make_hanging(14, {worker})};
    report.hang->processes[1].stack = 1;
    return report;
}

std::string json_of(const Report& report) {
    std::ostringstream out;
    write_json(report, out);
    return out.str();
}

std::string text_of(const Report& report) {
    std::ostringstream out;
    render::text(report, {}, out);
    return out.str();
}

TEST(PtraceRule, IsToldInWords) {
    EXPECT_EQ(hang::ptrace_rule("0\n"), "");
    EXPECT_EQ(hang::ptrace_rule(""), "");  // a kernel without yama
    EXPECT_THAT(hang::ptrace_rule("1\n"), HasSubstr("ptrace_scope is 1: only those who started it, and root, may"));
    EXPECT_THAT(hang::ptrace_rule("2\n"), HasSubstr("ptrace_scope is 2: only root may"));
    EXPECT_THAT(hang::ptrace_rule("3\n"), HasSubstr("ptrace_scope is 3: nobody may"));
    EXPECT_TRUE(hang::is_refusal(hang::refusal()));
}

TEST(Hang, GoesThroughJson) {
    const Report report = make_hang();
    const std::string json = json_of(report);
    EXPECT_EQ(json_of(read_json(json, "x")), json);
    EXPECT_THAT(json, HasSubstr(R"("waiting_on": "wait4 for pid 14", "waits_for": [{"pid": 14, "tid": null}])"));
    const Report back = read_json(json, "x");
    ASSERT_TRUE(back.hang);
    EXPECT_EQ(back.hang->processes[1].stack, 1);
    EXPECT_EQ(back.hang->processes[0].threads[1].native[0].offset, 0x1234U);
}

TEST(Hang, OneThatRunsWaitsForNothing) {
    Report report = make_hang();
    report.hang->processes = {make_hanging(12, {make_thread(12, "", {})})};
    EXPECT_THAT(json_of(report), HasSubstr(R"("state": "R", "waiting_on": null, "waits_for": [])"));
}

TEST(Hang, MergingKeepsModulesAndStacks) {
    Report first = make_report();
    Report second = make_hang();
    second.modules = {{1, "/usr/bin/other", "", 0x1000}};
    second.stacks[0].native.clear();
    second.stacks[0].python = {{"other", "other.py", 1}};
    const Report both = merge({first, second});
    ASSERT_TRUE(both.hang);
    const HangProcess& process = both.hang->processes[1];
    const NativeFrame& frame = both.hang->processes[0].threads[1].native[0];
    ASSERT_TRUE(process.stack && frame.module);
    const auto stack = std::find_if(both.stacks.begin(), both.stacks.end(),
                                    [&](const Stack& one) { return one.id == *process.stack; });
    const auto module = std::find_if(both.modules.begin(), both.modules.end(),
                                     [&](const Module& one) { return one.id == *frame.module; });
    EXPECT_EQ(stack->python[0].file, "other.py");
    EXPECT_EQ(module->path, "/usr/bin/other");
}

TEST(Hang, TheTextSaysWhoWaitsForWhom) {
    const std::string text = text_of(make_hang());
    std::string first = text.substr(0, text.find("\n\n"));
    for (std::size_t at = 0; (at = first.find("\n    ")) != first.npos;) {
        first.erase(at, 4);
        first[at] = ' ';
    }
    EXPECT_THAT(first, HasSubstr("python3 train.py timed out, and was ended after 12.5 s: 2 processes, 3 threads\n"));
    EXPECT_THAT(first, HasSubstr("python3 (12) waits in _python_exit, line 95 of process.py, for its thread 13, "
                                 "which waits in tidy, line 8 of train.py, for pid 14 (started at train.py:14), "
                                 "which waits in work, line 20 of train.py, for read from pipe:[7], written by pid "
                                 "12; a cycle: pid 12 -> thread 13 -> pid 14 -> pid 12."));
}

TEST(Hang, EqualStacksAreShownOnce) {
    Report report = make_hang();
    std::vector<HangThread> threads;
    for (int i = 0; i < 50; ++i) {
        HangThread thread = make_thread(20 + i, fmt::format("futex {:#x}", i), {});
        thread.python = {{"work", "train.py", 20}};
        threads.push_back(thread);
    }
    report.hang->processes = {make_hanging(20, threads)};
    const std::string text = text_of(report);
    EXPECT_THAT(text, HasSubstr("50 threads: python3 (20), thread 21 of pid 20, "));
    EXPECT_EQ(text.find("call stack"), text.rfind("call stack"));
}

TEST(Hang, WhoCanBeHelpedIsInNoCycle) {
    // Two workers of a pool that is idle: each could be written to by its sibling, but also by 12.
    Report report = make_hang();
    HangThread main = make_thread(12, "", {});
    HangThread one = make_thread(13, "read from pipe:[7], written by pid 12, 13 (itself), 14", {{12, 0}, {14, 0}, {13, 0}});
    HangThread other = make_thread(14, "semaphore /mp-1, shared with pid 13", {{13, 0}});
    report.hang->processes = {make_hanging(12, {main}), make_hanging(13, {one}), make_hanging(14, {other})};
    for (const render::HangChain& chain : render::HangGraph(*report.hang).chains(3)) {
        EXPECT_FALSE(chain.cycle);
    }
    // Without 12 they wait for each other.
    report.hang->processes[1].threads[0].waits_for.erase(report.hang->processes[1].threads[0].waits_for.begin());
    bool any = false;
    for (const render::HangChain& chain : render::HangGraph(*report.hang).chains(3)) any = any || chain.cycle;
    EXPECT_TRUE(any);
}

TEST(Hang, ASleeperIsNoCycle) {
    Report report = make_hang();
    HangThread one = make_thread(12, "poll of pipe:[7], written by pid 12 (itself), at most 5 s", {{12, 0}});
    report.hang->processes = {make_hanging(12, {one})};
    EXPECT_FALSE(render::HangGraph(*report.hang).chains(1)[0].cycle);
    report.hang->processes[0].threads[0].waiting_on = "read from pipe:[7], written by pid 12 (itself)";
    EXPECT_TRUE(render::HangGraph(*report.hang).chains(1)[0].cycle);
    EXPECT_THAT(text_of(report), HasSubstr("it waits for itself"));
}

TEST(Hang, WhatIsTracedSaysSo) {
    Report report = make_hang();
    report.hang->processes[1].error = "no stacks: it is traced by pid 77 (gdb)";
    EXPECT_THAT(text_of(report), HasSubstr("  no stacks: it is traced by pid 77 (gdb)\n"));
}

TEST(Hang, OfARunningSessionNothingIsLeftOver) {
    Report report = make_hang();
    report.sessions[0].timed_out = false;
    report.sessions[0].exit.running = true;
    EXPECT_THAT(text_of(report), Not(HasSubstr("left over")));
    report.leaks = make_report().leaks;
    EXPECT_THAT(text_of(report), HasSubstr("(still running) holds 4 things: 3 semaphores, 1 process"));
}

TEST(Sockets, OfProcNet) {
    const auto socket = kernel::parse_inet_socket(
        "   0: 0100007F:1F90 0200007F:0050 01 00000000:00000000 00:00000000 00000000     0        0 4711 1 x");
    ASSERT_TRUE(socket);
    EXPECT_EQ(socket->local, "127.0.0.1:8080");
    EXPECT_EQ(socket->remote, "127.0.0.2:80");
    EXPECT_EQ(socket->inode, 4711U);
    EXPECT_FALSE(socket->is_listening);
    EXPECT_FALSE(kernel::parse_inet_socket("  sl  local_address rem_address   st tx_queue"));

    const auto local = kernel::parse_unix_socket("ffff: 00000002 00000000 00010000 0001 01 99 /tmp/a b");
    ASSERT_TRUE(local);
    EXPECT_EQ(local->name, "/tmp/a b");
    EXPECT_TRUE(local->is_listening);
    EXPECT_EQ(kernel::parse_unix_socket("ffff: 00000003 00000000 00000000 0001 03 100")->name, "");
}

}  // namespace
}  // namespace leftover::test
