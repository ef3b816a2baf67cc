// System V objects whose creation nobody confirmed, and timers.
#include <fmt/format.h>
#include <unistd.h>

#include "tests/support/judge_fixture.h"

namespace leftover {
namespace {

using record::State;
using test::RecordWriter;

constexpr std::uint64_t second = 1'000'000'000;
constexpr std::uint64_t made = 1'700'000'000;

class JudgedIpc : public test::JudgeFixture {
protected:
    // One line of a table; `used`: time of its last use.
    void add_segment(int id, int key, int mode, int bytes, int creator, std::uint64_t changed, int used = 0) {
        segments += fmt::format("{} {} {} {} {} 0 0 0 0 {} 0 {} 0 {} 0 0\n", key, id, mode, bytes, creator,
                                ::geteuid(), used, changed);
    }
    void add_set(int id, int key, int mode, int count, std::uint64_t changed, int used = 0) {
        sets += fmt::format("{} {} {} {} 0 0 {} 0 {} {}\n", key, id, mode, count, ::geteuid(), used, changed);
    }

    static record::Slot& intend(RecordWriter& writer, Kind kind, int key, std::uint64_t size, int mode,
                                std::uint64_t created = made) {
        record::Slot& slot = writer.add_slot(kind, State::intent, "");
        slot.b = static_cast<std::uint32_t>(key);
        slot.c = size;
        slot.value = static_cast<std::uint32_t>(mode);
        slot.created_ns = created * second;
        return slot;
    }

    std::string judged(const RecordWriter& writer) {
        test::write_file(folder / "proc/sysvipc/shm", segments);
        test::write_file(folder / "proc/sysvipc/sem", sets);
        return names(judge(writer));
    }

    std::string segments =
        "key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime rss swap\n";
    std::string sets = "key semid perms nsems uid gid cuid cgid otime ctime\n";
};

TEST_F(JudgedIpc, FindsAnInterruptedCallsSegmentByItsKey) {
    add_segment(7, 5, 640, 4096, 100, made);
    RecordWriter writer;
    intend(writer, Kind::sysv_shared_memory, 5, 4096, 0640);
    EXPECT_EQ(judged(writer), "id:7");
}

TEST_F(JudgedIpc, BlamesNoInterruptedCallForWhatItDidNotAskFor) {
    add_segment(1, 6, 600, 4096, 100, made);       // another key
    add_segment(2, 5, 644, 4096, 100, made);       // other permissions
    add_segment(3, 5, 600, 8192, 100, made);       // another size
    add_segment(4, 5, 600, 4096, 101, made);       // another process
    add_segment(8, 5, 600, 4096, 100, made - 60);  // before
    add_segment(9, 5, 600, 4096, 100, made + 60);  // much later
    add_segment(10, 0, 600, 4096, 100, made, static_cast<int>(made));
    RecordWriter writer;
    intend(writer, Kind::sysv_shared_memory, 5, 4096, 0600);
    intend(writer, Kind::sysv_shared_memory, 0, 4096, 0600);  // nobody can have attached what it made
    EXPECT_EQ(judged(writer), "");
}

TEST_F(JudgedIpc, GivesEachInterruptedCallOneObject) {
    add_set(1, 0, 600, 2, made);
    add_set(2, 0, 600, 2, made);
    add_set(3, 0, 600, 1, made);
    RecordWriter writer;
    intend(writer, Kind::sysv_semaphore, 0, 2, 0600);
    const std::string one = judged(writer);
    EXPECT_TRUE(one == "id:1" || one == "id:2") << one;
    intend(writer, Kind::sysv_semaphore, 0, 1, 0600);
    intend(writer, Kind::sysv_semaphore, 0, 2, 0600);
    intend(writer, Kind::sysv_semaphore, 0, 2, 0600);
    EXPECT_EQ(judged(writer), "id:1 id:2 id:3");
}

TEST_F(JudgedIpc, LeavesConfirmedObjectsToTheirMaker) {
    add_set(1, 0, 600, 2, made);
    RecordWriter writer;
    intend(writer, Kind::sysv_semaphore, 0, 2, 0600, made + 1);
    record::Slot& slot = writer.add_slot(Kind::sysv_semaphore, State::live, "");
    slot.a = 1;
    slot.created_ns = made * second;
    slot.tid = 4711;
    test::write_file(folder / "proc/sysvipc/sem", sets);
    const Report report = judge(writer);
    ASSERT_EQ(names(report), "id:1");
    EXPECT_EQ(report.leaks[0].tid, 4711);
}

TEST_F(JudgedIpc, WaitsForACallThatMayStillComeBack) {
    add_set(1, 0, 600, 2, made);
    RecordWriter writer;
    intend(writer, Kind::sysv_semaphore, 0, 2, 0600);
    test::add_process(folder / "proc", {.pid = 100, .start_ticks = 5000});
    test::write_file(folder / "proc/sysvipc/sem", sets);
    for (const Leak& leak : judge(writer).leaks) EXPECT_EQ(leak.kind, Kind::process);
}

TEST_F(JudgedIpc, DescriptorsCountWhenTheirProcessHasEnded) {
    RecordWriter writer;
    writer.add_slot(Kind::file_descriptor, State::live, "/dev/null").b = 7;
    writer.add_slot(Kind::file_descriptor, State::live, "").b = 9;
    const Report report = judge(writer);
    ASSERT_EQ(names(report), "/dev/null fd:9");
    EXPECT_EQ(report.leaks[0].severity, Severity::note);
    EXPECT_EQ(report.leaks[0].details.fd, 7);
    test::add_process(folder / "proc", {.pid = 100, .start_ticks = 5000});
    for (const Leak& leak : judge(writer).leaks) EXPECT_EQ(leak.kind, Kind::process);
}

TEST_F(JudgedIpc, TimersCountWhenTheirProcessHasEnded) {
    RecordWriter writer;
    writer.add_slot(Kind::timer, State::live, "").b = 3;
    const Report report = judge(writer);
    ASSERT_EQ(names(report), "timer:3");
    EXPECT_EQ(report.leaks[0].severity, Severity::note);
    writer.header().ending = static_cast<std::uint32_t>(record::Ending::exec);
    EXPECT_EQ(names(judge(writer)), "");
}

}  // namespace
}  // namespace leftover
