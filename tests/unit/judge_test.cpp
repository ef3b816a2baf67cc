// The session, the stacks and what could not be read.
#include "reporter/judge/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "reporter/model/json.h"
#include "tests/support/judge_fixture.h"

namespace leftover {
namespace {

using record::Ending;
using record::State;
using test::RecordWriter;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Judged : public test::JudgeFixture {};

TEST_F(Judged, TakesTheSessionFromTheRoot) {
    RecordWriter other;
    RecordWriter::set_text(other.header().session, "abc");
    other.header().opened_ns = 1;
    save(other, "1.record");
    RecordWriter writer;
    record::Header& header = writer.header();
    header.pid = 200;
    header.flags = record::root | record::by_hand;
    header.started_ns = 2'000'000'000;
    header.opened_ns = 2'000'000'001;
    header.ending = static_cast<std::uint32_t>(Ending::code);
    header.ending_value = 3;
    header.ended_ns = 3'500'000'000;
    RecordWriter::set_text(header.session, "abc");
    RecordWriter::set_text(header.cwd, "/some place");
    writer.set_command({"python3", "train.py"});
    save(writer, "2.record");

    const Report report = judge();
    ASSERT_THAT(report.sessions, SizeIs(1));
    const Session& session = report.sessions[0];
    EXPECT_EQ(session.id, "abc");
    EXPECT_THAT(session.command, ElementsAre("python3", "train.py"));
    EXPECT_EQ(session.cwd, "/some place");
    EXPECT_EQ(session.started_at, 2'000'000'000);
    EXPECT_DOUBLE_EQ(session.duration_seconds, 1.5);
    EXPECT_EQ(session.exit.code, 3);
    EXPECT_EQ(session.mode, "report");
    EXPECT_TRUE(session.complete);
    EXPECT_FALSE(session.host.kernel.empty());
}

TEST_F(Judged, TakesTheSessionFromTheLauncher) {
    test::write_file(folder / "session/session.json", R"({
        "id": "nightly", "command": ["./run", "--all"], "cwd": "/src",
        "host": {"name": "box", "kernel": "6.1", "machine": "x86_64"},
        "started_at": "2026-01-02T03:04:05.5Z", "labels": {"job": "7"}, "mode": "clean",
        "launcher": {"pid": 10, "start_ticks": 5}, "program": {"pid": 100},
        "boot_id": "", "exit": {"signal": "SIGTERM"}, "duration_seconds": 2.5, "timed_out": true})");
    Report report = judge();  // also without any record
    ASSERT_THAT(report.sessions, SizeIs(1));
    const Session& session = report.sessions[0];
    EXPECT_EQ(session.id, "nightly");
    EXPECT_THAT(session.command, ElementsAre("./run", "--all"));
    EXPECT_EQ(session.cwd, "/src");
    EXPECT_EQ(session.host.name, "box");
    EXPECT_EQ(session.started_at, parse_time("2026-01-02T03:04:05.5Z"));
    EXPECT_EQ(session.labels.at("job"), "7");
    EXPECT_EQ(session.mode, "clean");
    EXPECT_EQ(session.exit.signal, SIGTERM);
    EXPECT_DOUBLE_EQ(session.duration_seconds, 2.5);
    EXPECT_TRUE(session.timed_out);
    EXPECT_TRUE(session.complete);

    RecordWriter writer;
    add_file(writer, Kind::semaphore, "/a", make("shm/sem.a"));
    report = judge(writer);
    EXPECT_EQ(report.sessions[0].id, "nightly");
    EXPECT_EQ(report.processes.at(0).session, "nightly");
    EXPECT_EQ(names(report), "/a");
    EXPECT_EQ(report.leaks[0].session, "");
}

// The program is told by its number as long as it runs, afterwards that may be another's.
TEST_F(Judged, TheProgramItselfIsNoLeakWhileItRuns) {
    const auto session = folder / "session/session.json";
    test::write_file(session, R"({"id": "x", "program": {"pid": 100}})");
    test::add_process(folder / "proc", {.pid = 100, .start_ticks = 1});
    options.live_processes = {100};
    EXPECT_EQ(names(judge()), "");
    EXPECT_TRUE(judge().sessions[0].exit.running);
    test::write_file(session, R"({"id": "x", "program": {"pid": 100}, "exit": {"code": 0}})");
    EXPECT_EQ(names(judge()), "python3.11");
    test::write_file(session, R"({"id": "x", "program": {"pid": 100, "start_ticks": 2}})");
    EXPECT_EQ(names(judge()), "python3.11");
    test::write_file(session, R"({"id": "x", "program": {"pid": 100, "start_ticks": 1}})");
    EXPECT_EQ(names(judge()), "");
}

TEST_F(Judged, ListsAProgramThatNoRecordTellsOf) {
    test::write_file(folder / "session/session.json", R"({
        "id": "x", "command": ["busybox", "ls"], "started_at": "2026-01-02T03:04:05Z",
        "launcher": {"pid": 10, "start_ticks": 5}, "exit": {"code": 1},
        "program": {"pid": 100, "start_ticks": 7, "executable": "/bin/busybox",
                    "instrumented": false, "reason": "static"}})");
    const Report report = judge();
    ASSERT_THAT(report.processes, SizeIs(1));
    const ProcessInfo& program = report.processes[0];
    EXPECT_EQ(program.pid, 100);
    EXPECT_EQ(program.ppid, 10);
    EXPECT_EQ(program.executable, "/bin/busybox");
    EXPECT_THAT(program.command, ElementsAre("busybox", "ls"));
    EXPECT_FALSE(program.instrumented);
    EXPECT_EQ(program.reason, "static");
    EXPECT_EQ(program.exit.code, 1);
    EXPECT_EQ(program.start_ticks, 7U);
}

TEST_F(Judged, SharesStacksAndModules) {
    RecordWriter writer;
    const auto c_library = writer.add_module(1, "/lib/libc.so.6", 0x1000, {0xaa});
    writer.add_module(2, "/unused", 0x9000);
    EXPECT_NE(c_library, 0U);
    const auto function = writer.add_string("make");
    const auto file = writer.add_string("train.py");
    const auto stack = writer.add_stack(
        {record::native_frame(1, 0x10), record::native_frame(record::no_module, 0x77),
         record::native_frame(40, 5)},
        {{function, file, 4, 0}});
    const auto unused = writer.add_stack({record::native_frame(2, 1)});
    add_file(writer, Kind::semaphore, "/a", make("shm/sem.a")).stack = stack;
    add_file(writer, Kind::semaphore, "/b", make("shm/sem.b")).stack = stack;
    add_file(writer, Kind::semaphore, "/gone", make("other")).stack = unused;
    add_file(writer, Kind::semaphore, "/none", make("shm/sem.none"));
    save(writer, "1.record");
    RecordWriter second;  // the same stack in a forked child
    second.header().pid = 101;
    const auto libc = second.add_module(7, "/lib/libc.so.6", 0x1000, {0xaa});
    EXPECT_NE(libc, 0U);
    const auto f = second.add_string("make");
    const auto its = second.add_stack(
        {record::native_frame(7, 0x10), record::native_frame(record::no_module, 0x77),
         record::native_frame(40, 5)},
        {{f, second.add_string("train.py"), 4, 0}});
    add_file(second, Kind::semaphore, "/c", make("shm/sem.c")).stack = its;
    save(second, "2.record");

    const Report report = judge();
    ASSERT_EQ(names(report), "/a /b /c /none");
    for (const Leak& leak : report.leaks) {
        EXPECT_EQ(leak.stack, leak.name == "/none" ? std::nullopt : std::optional(1));
    }
    ASSERT_THAT(report.modules, SizeIs(1));
    EXPECT_EQ(report.modules[0].id, 1);
    EXPECT_EQ(report.modules[0].path, "/lib/libc.so.6");
    EXPECT_EQ(report.modules[0].build_id, "aa");
    EXPECT_EQ(report.modules[0].base, 0x1000U);
    ASSERT_THAT(report.stacks, SizeIs(1));
    EXPECT_EQ(report.stacks[0].id, 1);
    EXPECT_EQ(report.stacks[0].python.at(0).function, "make");
    EXPECT_EQ(report.stacks[0].python.at(0).line, 4);
    ASSERT_THAT(report.stacks[0].native, SizeIs(3));
    EXPECT_EQ(report.stacks[0].native[0].address, 0x1010U);
    EXPECT_EQ(report.stacks[0].native[0].module, 1);
    EXPECT_EQ(report.stacks[0].native[0].offset, 0x10U);
    EXPECT_EQ(report.stacks[0].native[1].address, 0x77U);
    EXPECT_EQ(report.stacks[0].native[1].module, std::nullopt);
}

TEST_F(Judged, SaysWhatIsMissing) {
    RecordWriter writer;
    add_file(writer, Kind::semaphore, "/a", make("shm/sem.a"));
    save(writer);
    test::write_file(folder / "session/2.record", "garbage");
    test::write_file(folder / "session/ignored.txt", "garbage");
    Report report = judge();
    EXPECT_EQ(names(report), "/a");
    EXPECT_FALSE(report.sessions[0].complete);
    EXPECT_THAT(report.remarks, ElementsAre(HasSubstr("2.record: not a leftover record")));

    std::filesystem::remove(folder / "session/2.record");
    EXPECT_TRUE(judge().sessions[0].complete);
    writer.header().lost = 3;
    report = judge(writer);
    EXPECT_FALSE(report.sessions[0].complete);
    EXPECT_THAT(report.remarks, ElementsAre(HasSubstr("3 resources")));
    writer.header().lost = 0;
    writer.save(folder / "session/100-5000-0.record", writer.bytes().size() - 1);
    report = judge();
    EXPECT_FALSE(report.sessions[0].complete);
    EXPECT_THAT(report.remarks, ElementsAre(HasSubstr("cut off")));

    save(writer);
    test::write_file(folder / "session/session.json", "{\"id\": 7}");
    report = judge();
    EXPECT_EQ(names(report), "/a");
    EXPECT_FALSE(report.sessions[0].complete);
    EXPECT_THAT(report.remarks, ElementsAre(HasSubstr("id: text expected")));
}

TEST_F(Judged, ThrowsWhenThereIsNothingToJudge) {
    const auto objection = [&] {
        try {
            judge();
        } catch (const std::runtime_error& error) {
            return std::string(error.what());
        }
        return std::string("none");
    };
    EXPECT_THAT(objection(), HasSubstr("no records"));
    test::write_file(folder / "session/1.record", "garbage");
    EXPECT_THAT(objection(), HasSubstr("not a leftover record"));
    std::filesystem::remove_all(folder / "session");
    EXPECT_THAT(objection(), HasSubstr("session: "));
    EXPECT_THROW(judge_records({}), std::runtime_error);
    EXPECT_THROW(judge_records({folder / "none"}), std::runtime_error);
}

TEST_F(Judged, TellsSeveralSessionsApart) {
    std::vector<std::filesystem::path> files;
    for (const char* id : {"one", "two"}) {
        RecordWriter writer;
        writer.header().pid = id[0] == 'o' ? 100 : 200;
        RecordWriter::set_text(writer.header().session, id);
        add_file(writer, Kind::semaphore, id, make(std::string("shm/sem.") + id));
        files.push_back(folder / id);
        writer.save(files.back());
    }
    const Report report = judge_records(files, options);
    ASSERT_THAT(report.sessions, SizeIs(2));
    ASSERT_EQ(names(report), "/one /two");
    for (const Leak& leak : report.leaks) EXPECT_EQ("/" + leak.session.str(), leak.name);
}

TEST_F(Judged, KnowsARebootByTheRootsRecord) {
    RecordWriter writer;
    writer.header().boot_id[0] = 0x1111111122223333;
    writer.header().boot_id[1] = 0x4444555555555555;
    add_child(writer, 300, 10, 20);
    test::add_process(folder / "proc", {.pid = 300, .start_ticks = 15});
    const auto boot = folder / "proc/sys/kernel/random/boot_id";
    test::write_file(boot, "11111111-2222-3333-4444-555555555555\n");
    EXPECT_EQ(names(judge(writer)), "python3.11");
    test::write_file(boot, "11111111-2222-3333-4444-555555555556\n");
    EXPECT_EQ(names(judge(writer)), "");
}

}  // namespace
}  // namespace leftover
