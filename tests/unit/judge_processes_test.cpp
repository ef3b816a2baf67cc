// Leaks of processes and threads, and the list of processes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "reporter/kernel/process.h"
#include "tests/support/judge_fixture.h"

namespace leftover {
namespace {

using record::Ending;
using record::State;
using test::RecordWriter;
using ::testing::ElementsAre;

class JudgedProcesses : public test::JudgeFixture {
protected:
    void add_process(const test::FakeProcess& process) {
        test::add_process(folder / "proc", process);
    }
    // A thread that somebody created and nobody joined.
    static record::Slot& add_thread(RecordWriter& writer, std::string_view name,
                                    std::uint8_t flags = 0) {
        record::Slot& slot = writer.add_slot(Kind::thread, State::live, name);
        slot.flags = flags;
        return slot;
    }
    static void end(RecordWriter& writer, Ending ending, std::uint32_t value) {
        writer.header().ending = static_cast<std::uint32_t>(ending);
        writer.header().ending_value = value;
        writer.header().ended_ns = 9'000;
    }
};

TEST_F(JudgedProcesses, ReportsTheLiving) {
    RecordWriter writer;
    writer.header().flags = record::root;
    writer.header().started_ns = 1;
    record::Slot& slot = add_child(writer, 201, 600, 601);
    slot.tid = 105;
    slot.created_ns = 77;
    slot.flags = record::execed;
    slot.value = static_cast<std::uint32_t>(record::Reason::setuid);
    add_child(writer, 202, 600, 601);
    add_child(writer, 203, 600, 601);
    add_child(writer, 204, 600, 601);
    add_process({.pid = 100, .start_ticks = 5000});  // the program itself
    add_process({.pid = 201, .start_ticks = 601, .state = 'T'});
    add_process({.pid = 202, .start_ticks = 602});  // the number is another's by now
    add_process({.pid = 203, .start_ticks = 600, .state = 'Z'});

    const Report report = judge(writer);
    ASSERT_EQ(report.leaks.size(), 1U);
    const Leak& leak = report.leaks[0];
    EXPECT_EQ(leak.kind, Kind::process);
    EXPECT_EQ(leak.severity, Severity::error);
    EXPECT_EQ(leak.name, "python3.11");
    EXPECT_EQ(leak.pid, 100);
    EXPECT_EQ(leak.tid, 105);
    EXPECT_EQ(leak.created_at, 77);
    EXPECT_EQ(leak.details.more->pid, 201);
    EXPECT_EQ(leak.details.more->state, "T");
    EXPECT_EQ(leak.details.more->start_ticks, 601U);
    EXPECT_GT(leak.details.more->resident_bytes, 0U);
    EXPECT_THAT(*leak.details.more->command, ElementsAre("python3", "worker.py"));

    const ProcessInfo* info = process(report, 201);
    ASSERT_NE(info, nullptr);
    EXPECT_EQ(info->ppid, 100);
    EXPECT_TRUE(info->exit.running);
    EXPECT_FALSE(info->instrumented);
    EXPECT_EQ(info->reason, "setuid");
    EXPECT_EQ(info->executable, "/usr/bin/python3.11");
    EXPECT_TRUE(process(report, 100)->exit.running);
    EXPECT_FALSE(process(report, 204)->exit.running);
    EXPECT_TRUE(report.sessions[0].exit.running);
}

TEST_F(JudgedProcesses, CountsEachOnceWhoeverNamesIt) {
    RecordWriter writer;
    add_child(writer, 201, 600, 601);
    save(writer);
    RecordWriter child;
    child.header().pid = 201;
    child.header().ppid = 100;
    child.header().start_ticks = 600;
    child.header().opened_ns = 5;
    save(child, "201.record");
    RecordWriter lost;  // its creator has no slot for it
    lost.header().pid = 205;
    lost.header().ppid = 201;
    lost.header().start_ticks = 700;
    save(lost, "205.record");
    add_process({.pid = 201, .start_ticks = 600});
    add_process({.pid = 205, .start_ticks = 700, .executable = "/bin/five"});
    add_process({.pid = 206, .start_ticks = 710, .ppid = 1, .executable = "/bin/six"});
    add_process({.pid = 207, .start_ticks = 710, .executable = "/bin/launcher"});
    options.live_processes = {201, 205, 206, 207, 208};
    options.ignored_processes = {207};

    const Report report = judge();
    ASSERT_EQ(names(report), "five python3.11 six");
    for (const Leak& leak : report.leaks) {
        EXPECT_EQ(leak.pid, leak.name == "five" ? 201 : leak.name == "six" ? 0 : 100) << leak.name;
    }
    EXPECT_FALSE(process(report, 206)->instrumented);
    EXPECT_EQ(process(report, 206)->reason, "unknown");
    EXPECT_EQ(process(report, 206)->ppid, 1);
    EXPECT_TRUE(process(report, 205)->instrumented);
}

// Killed within fork: the slot does not know the child's number.
TEST_F(JudgedProcesses, FindsTheChildOfAForkThatDidNotComeBack) {
    RecordWriter writer;
    for (const std::uint64_t ticks : {500U, 600U}) {
        record::Slot& slot = writer.add_slot(Kind::process, State::intent, "");
        slot.b = ticks;
        slot.tid = static_cast<std::uint32_t>(ticks);
    }
    add_process({.pid = 201, .start_ticks = 601});
    options.live_processes = {201};
    const Report report = judge(writer);
    ASSERT_EQ(report.leaks.size(), 1U);
    EXPECT_EQ(report.leaks[0].pid, 100);
    EXPECT_EQ(report.leaks[0].tid, 600);
}

TEST_F(JudgedProcesses, FindsProcessesOfAnotherPidNamespace) {
    test::write_file(folder / "proc/self/ns/pid", "");
    RecordWriter writer;
    writer.header().pid_namespace = 1;  // surely not that file's inode
    writer.header().pid = 1;
    add_child(writer, 7, 600, 601);
    add_process({.pid = 7, .start_ticks = 600, .executable = "/bin/stranger"});
    add_process({.pid = 4007, .start_ticks = 601, .namespace_pids = "4007\t7"});
    const Report report = judge(writer);
    ASSERT_EQ(names(report), "python3.11");
    EXPECT_EQ(report.leaks[0].details.more->pid, 4007);
}

// The first process of a namespace is number 1 to itself and another to who made it.
TEST_F(JudgedProcesses, KnowsTheFirstProcessOfAPidNamespaceByBothNumbers) {
    test::write_file(folder / "proc/self/ns/pid", "");
    RecordWriter outer;
    outer.header().pid_namespace = kernel::own_pid_namespace(options.roots);
    outer.header().flags = record::root;
    add_child(outer, 201, 600, 601);
    save(outer);
    RecordWriter first;
    first.header().pid_namespace = 1;
    first.header().pid = 1;
    first.header().ppid = 0;
    first.header().start_ticks = 600;
    add_child(first, 2, 610, 610);
    add_file(first, Kind::semaphore, "/a", make("shm/sem.a"));
    save(first, "1-600-0.record");
    add_process({.pid = 201, .start_ticks = 600, .namespace_pids = "201\t1"});
    add_process({.pid = 202, .start_ticks = 610, .namespace_pids = "202\t2"});

    Report report = judge();
    ASSERT_EQ(names(report), "/a python3.11 python3.11");
    EXPECT_EQ(report.processes.size(), 3U);
    EXPECT_EQ(process(report, 201)->ppid, 100);
    EXPECT_EQ(process(report, 202)->ppid, 201);
    for (const Leak& leak : report.leaks) {
        EXPECT_EQ(leak.pid, leak.details.more->pid == 201 ? 100 : 201);
    }
    std::filesystem::remove_all(folder / "proc/201");
    std::filesystem::remove_all(folder / "proc/202");
    report = judge();
    ASSERT_EQ(names(report), "/a");
    EXPECT_EQ(report.processes.size(), 3U);
    EXPECT_EQ(report.leaks[0].pid, 201);
}

TEST_F(JudgedProcesses, ListsAllProcesses) {
    RecordWriter first;
    RecordWriter::set_text(first.header().executable, "/bin/sh");
    first.set_command({"sh", "run"});
    first.header().started_ns = 10;
    first.header().opened_ns = 20;
    first.header().counters[static_cast<std::size_t>(Kind::semaphore)].created = 5;
    first.header().counters[static_cast<std::size_t>(Kind::semaphore)].peak = 5;
    end(first, Ending::exec, 0);
    record::Slot& forked = add_child(first, 300, 600, 600);
    forked.created_ns = 30;
    record::Slot& waited = add_child(first, 301, 600, 600);
    waited.state = static_cast<std::uint32_t>(State::ended);
    waited.created_ns = 40;
    waited.flags = record::execed | record::fetched;
    waited.value = 3 << 8;
    waited.d = 50;
    std::memcpy(waited.name, "/bin/true", waited.name_size = 9);
    save(first, "100-5000-0.record");

    RecordWriter second;
    RecordWriter::set_text(second.header().executable, "/usr/bin/python3.11");
    second.set_command({"python3"});
    second.header().opened_ns = 60;
    second.header().counters[static_cast<std::size_t>(Kind::semaphore)].created = 2;
    second.header().counters[static_cast<std::size_t>(Kind::semaphore)].peak = 2;
    end(second, Ending::signal, 15);
    save(second, "100-5000-1.record");

    const Report report = judge();
    ASSERT_EQ(report.processes.size(), 3U);
    const ProcessInfo& program = report.processes[0];
    EXPECT_EQ(program.pid, 100);
    EXPECT_EQ(program.ppid, 99);
    EXPECT_EQ(program.started_at, 10);
    EXPECT_EQ(program.ended_at, 9'000);
    EXPECT_EQ(program.executable, "/usr/bin/python3.11");
    EXPECT_THAT(program.command, ElementsAre("python3"));
    EXPECT_EQ(program.exit.signal, 15);
    ASSERT_EQ(program.counts.size(), 1U);
    EXPECT_EQ(program.counts.at(Kind::semaphore).created, 7U);
    EXPECT_EQ(program.counts.at(Kind::semaphore).peak, 5U);

    EXPECT_EQ(process(report, 300)->executable, "/bin/sh");
    EXPECT_TRUE(process(report, 300)->instrumented);
    EXPECT_EQ(process(report, 301)->executable, "/bin/true");
    EXPECT_FALSE(process(report, 301)->instrumented);
    EXPECT_EQ(process(report, 301)->exit.code, 3);
    EXPECT_EQ(process(report, 301)->ended_at, 50);
}

TEST_F(JudgedProcesses, ReportsThreadsThatWereLeftOver) {
    RecordWriter writer;
    writer.add_module(2, "/app", 0x500000);
    record::Slot& finished = add_thread(writer, "pool-1", record::finished);
    finished.b = 0x501234;
    finished.d = record::native_frame(2, 0x1234);
    RecordWriter::set_text(add_thread(writer, "").thread_name, "main");
    add_thread(writer, "background", record::detached);
    add_thread(writer, "over", record::detached | record::finished);
    writer.add_slot(Kind::thread, State::intent, "never");
    end(writer, Ending::code, 0);

    Report report = judge(writer);
    ASSERT_EQ(names(report), "background main pool-1");
    for (const Leak& leak : report.leaks) {
        const bool is_finished = leak.name == "pool-1";
        EXPECT_EQ(leak.severity, is_finished ? Severity::warning : Severity::note);
        EXPECT_EQ(leak.details.more->state, is_finished ? "finished" : "running");
        EXPECT_EQ(leak.kind, leak.name == "background" ? Kind::detached_thread : Kind::thread);
        if (!is_finished) continue;
        EXPECT_EQ(leak.details.more->start_routine, "0x501234");
        ASSERT_TRUE(leak.details.more->start_frame);
        EXPECT_EQ(leak.details.more->start_frame->address, 0x501234U);
        EXPECT_EQ(leak.details.more->start_frame->offset, 0x1234U);
        EXPECT_EQ(report.modules.at(0).id, leak.details.more->start_frame->module);
    }
    options.include_notes = false;
    EXPECT_EQ(names(judge()), "pool-1");
}

TEST_F(JudgedProcesses, ThreadsOfTheLivingAndOfReplacedImagesAreNoLeaks) {
    RecordWriter writer;
    add_thread(writer, "a", record::finished);
    writer.header().flags = record::root;
    save(writer);
    EXPECT_EQ(names(judge()), "a");  // killed: nobody wrote how it ended
    add_process({.pid = 100, .start_ticks = 5000});
    EXPECT_EQ(names(judge()), "");
    std::filesystem::remove_all(folder / "proc/100");
    end(writer, Ending::exec, 0);
    EXPECT_EQ(names(judge(writer)), "");

    end(writer, Ending::running, 0);  // an exec that nobody saw
    RecordWriter next;
    next.header().opened_ns = 5;
    save(next, "100-5000-1.record");
    EXPECT_EQ(names(judge(writer)), "");
}

// A forked child without a record of its own writes into its parent's.
TEST_F(JudgedProcesses, ChildrenInTheirParentsRecordEndByThemselves) {
    RecordWriter writer;
    writer.header().flags = record::root;
    add_child(writer, 300, 600, 600);
    add_thread(writer, "child's", record::finished).pid = 300;
    add_thread(writer, "parent's", record::finished);
    add_process({.pid = 300, .start_ticks = 600});
    EXPECT_EQ(names(judge(writer)), "parent's python3.11");
    std::filesystem::remove_all(folder / "proc/300");
    EXPECT_EQ(names(judge(writer)), "child's parent's");
}

}  // namespace
}  // namespace leftover
