// Leaks that are names in a file system.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/judge_fixture.h"

namespace leftover {
namespace {

using record::State;
using test::RecordWriter;

constexpr Time second = 1'000'000'000;

class JudgedFiles : public test::JudgeFixture {};

TEST_F(JudgedFiles, ReportsWhatIsStillThere) {
    RecordWriter writer;
    const auto facts = make("shm/sem.mp-1");
    record::Slot& slot = add_file(writer, Kind::semaphore, "/mp-1", facts);
    slot.tid = 101;
    RecordWriter::set_text(slot.thread_name, "worker");
    add_file(writer, Kind::shared_memory, "/psm_1", make("shm/psm_1", "12345"));
    const Report report = judge(writer);
    ASSERT_EQ(names(report), "/mp-1 /psm_1");
    const Leak& leak = report.leaks[0];
    EXPECT_EQ(leak.kind, Kind::semaphore);
    EXPECT_EQ(leak.severity, Severity::error);
    EXPECT_EQ(leak.status, Status::leaked);
    EXPECT_EQ(leak.pid, 100);
    EXPECT_EQ(leak.tid, 101);
    EXPECT_EQ(leak.thread_name, "worker");
    EXPECT_EQ(leak.created_at, facts.born - 1000);
    EXPECT_EQ(leak.details.path, (folder / "shm/sem.mp-1").native());
    EXPECT_EQ(leak.details.inode, facts.id.inode);
    EXPECT_EQ(leak.details.bytes, 32U);
    EXPECT_EQ(report.leaks[1].kind, Kind::shared_memory);
    EXPECT_EQ(report.leaks[1].details.bytes, 5U);
}

TEST_F(JudgedFiles, BelievesTheKernel) {
    RecordWriter writer;
    const auto facts = make("shm/other");
    add_file(writer, Kind::semaphore, "/gone", facts);
    add_file(writer, Kind::semaphore, "/made-anew", make("shm/sem.made-anew")).a = 1;
    add_file(writer, Kind::semaphore, "/elsewhere", make("shm/sem.elsewhere")).b = 1;
    add_file(writer, Kind::shared_memory, "/plain", make("shm/plain")).flags = record::unmapped;
    make("shm/sem.stranger");
    std::filesystem::create_directory(folder / "shm/folder");
    add_file(writer, Kind::shared_memory, "/folder", *kernel::file_facts(folder / "shm/folder"));
    add_file(writer, Kind::shared_memory, "/../secret", make("secret"));
    EXPECT_EQ(names(judge(writer)), "");
}

TEST_F(JudgedFiles, GivesOneNameToItsLatestMaker) {
    RecordWriter writer;
    const auto facts = make("shm/sem.twice");
    add_file(writer, Kind::semaphore, "/twice", facts);
    record::Slot& later = add_file(writer, Kind::semaphore, "twice", facts);
    later.created_ns += 10;
    later.tid = 7;
    const Report report = judge(writer);
    ASSERT_EQ(names(report), "/twice");
    EXPECT_EQ(report.leaks[0].tid, 7);
}

TEST_F(JudgedFiles, FollowsAnIntentThatCameTrue) {
    RecordWriter writer;
    const Time born = make("shm/sem.mine").born;
    add_intent(writer, Kind::semaphore, "/mine", born - second).tid = 1;
    add_intent(writer, Kind::semaphore, "/mine", born + 15'000'000).tid = 2;  // a coarse clock
    add_intent(writer, Kind::semaphore, "/mine", born + 25'000'000).tid = 3;
    make("shm/sem.older");
    add_intent(writer, Kind::semaphore, "/older", born + second);
    add_intent(writer, Kind::semaphore, "/never", born);
    const Report report = judge(writer);
    ASSERT_EQ(names(report), "/mine");
    EXPECT_EQ(report.leaks[0].tid, 2);
}

// The look at the inode was put off, and the process was killed before it came to it.
TEST_F(JudgedFiles, KnowsAFileByTheTimeOfItsCall) {
    const auto facts = make("shm/sem.mine");
    if (!facts.has_birth) GTEST_SKIP() << "no birth times here";
    RecordWriter writer;
    record::Slot& slot = add_file(writer, Kind::semaphore, "/mine", facts);
    slot.a = slot.b = 0;
    slot.d = static_cast<std::uint64_t>(facts.changed) + 5'000;
    slot.tid = 1;
    add_intent(writer, Kind::semaphore, "/mine", facts.born + 1'000'000).tid = 2;
    const Report report = judge(writer);
    ASSERT_EQ(names(report), "/mine");
    EXPECT_EQ(report.leaks[0].tid, 1);

    RecordWriter early;  // its file was removed, and this one made since
    record::Slot& gone = add_file(early, Kind::semaphore, "/mine", facts);
    gone.a = gone.b = 0;
    gone.created_ns -= 2 * second;
    gone.d = gone.created_ns + 5'000;
    EXPECT_EQ(names(judge(early)), "");
    gone.d = ~0ULL;  // damage
    EXPECT_EQ(names(judge(early)), "/mine");
}

// Several made files of one name within a tick of the clock that files' times come from.
TEST_F(JudgedFiles, GivesARacedNameToTheLastToBegin) {
    const auto facts = make("shm/sem.raced");
    if (!facts.has_birth) GTEST_SKIP() << "no birth times here";
    const auto begin = static_cast<std::uint64_t>(facts.born);
    const auto end = static_cast<std::uint64_t>(facts.changed);
    RecordWriter writer;
    const auto add = [&](std::uint64_t created, std::uint64_t over, int tid) -> record::Slot& {
        record::Slot& slot = add_file(writer, Kind::semaphore, "/raced", facts);
        slot.a = slot.b = 0;
        slot.created_ns = created;
        slot.d = over;
        slot.tid = static_cast<std::uint32_t>(tid);
        return slot;
    };
    const auto blamed = [&] {
        const Report report = judge(writer);
        return report.leaks.size() == 1 ? report.leaks[0].tid : -1;
    };
    // It was kept from saying that its call was over, and looked at the path when another's file was there.
    record::Slot& slow = add(begin, end + 9'000, 1);
    slow.a = facts.id.inode;
    slow.b = facts.id.device;
    add(begin + 1'000, end + 5'000, 2);
    EXPECT_EQ(blamed(), 2);

    // Began later still, and was over when the file came to be: another one, gone since.
    add(begin + 2'000, begin - 1, 3);
    EXPECT_EQ(blamed(), 2);

    // Killed in the call, after it had removed the name: what was made before is gone.
    record::Slot& killed = add_intent(writer, Kind::semaphore, "/raced", facts.born + 8'000);
    killed.tid = 4;
    EXPECT_EQ(blamed(), 2);
    killed.created_ns = end + 11'000;
    killed.c = end + 10'000;
    EXPECT_EQ(blamed(), 4);
    killed.c = end + 12'000;  // damage
    EXPECT_EQ(blamed(), 2);

    // Who looked at the file itself knows it.
    record::Slot& sure = add(begin - 1'000, 0, 5);
    sure.a = facts.id.inode;
    sure.b = facts.id.device;
    EXPECT_EQ(blamed(), 5);
}

// Another process of the session removed and made one of the same name in a /dev/shm of its own.
TEST_F(JudgedFiles, KeepsAFileThatWasNotRemovedHere) {
    const auto facts = make("shm/sem.twice");
    RecordWriter writer;
    record::Slot& ours = add_file(writer, Kind::semaphore, "/twice", facts);
    ours.created_ns = static_cast<std::uint64_t>(facts.born);
    ours.d = static_cast<std::uint64_t>(facts.changed) + 1'000;
    record::Slot& elsewhere = add_file(writer, Kind::semaphore, "/twice", facts);
    elsewhere.a = facts.id.inode + 1;
    elsewhere.c = ours.d + 1'000;
    elsewhere.created_ns = ours.d + 2'000;
    elsewhere.d = ours.d + 3'000;
    elsewhere.tid = ours.tid + 1;
    const Report report = judge(writer);
    ASSERT_EQ(names(report), "/twice");
    EXPECT_EQ(report.leaks[0].tid, static_cast<int>(ours.tid));
}

// It has its random name still: whoever made it was killed in the call.
TEST_F(JudgedFiles, GivesASemaphoreWithTwoNamesToOneThatWasKilled) {
    make("shm/sem.real");
    std::filesystem::create_hard_link(folder / "shm/sem.real", folder / "shm/sem.abcdef");
    const auto facts = *kernel::file_facts(folder / "shm/sem.real");
    RecordWriter writer;
    record::Slot& over = add_file(writer, Kind::semaphore, "/real", facts);
    over.a = over.b = 0;
    over.d = static_cast<std::uint64_t>(facts.changed) + 1'000;
    over.tid = 1;
    add_intent(writer, Kind::semaphore, "/real", facts.born).tid = 2;
    const Report report = judge(writer);
    ASSERT_EQ(names(report), "/abcdef /real");
    for (const Leak& leak : report.leaks) EXPECT_EQ(leak.tid, 2);
}

TEST_F(JudgedFiles, AConfirmedSlotBeatsAnIntent) {
    const auto facts = make("shm/sem.a");
    RecordWriter intent;
    add_intent(intent, Kind::semaphore, "/a", facts.born).tid = 1;
    save(intent, "1.record");
    RecordWriter writer;
    writer.header().pid = 200;
    add_file(writer, Kind::semaphore, "/a", facts).tid = 2;
    save(writer, "2.record");
    Report report = judge();
    ASSERT_EQ(names(report), "/a");
    EXPECT_EQ(report.leaks[0].tid, 2);

    // Also when it does not count: somebody has claimed the file.
    writer.slot_at(0).flags = record::unmapped;
    save(writer, "2.record");
    EXPECT_EQ(names(judge()), "");
}

// Killed in sem_open before the file got its real name.
TEST_F(JudgedFiles, FindsHalfMadeSemaphores) {
    const auto facts = make("shm/sem.aB3xYz");
    make("shm/sem.empty0", "");
    make("shm/sem.toolong");
    make("shm/sem.wrong!");
    make("shm/sem.large1", std::string(33, 'x'));
    RecordWriter writer;
    writer.header().flags = record::root;
    add_intent(writer, Kind::semaphore, "/one", facts.born - second).tid = 1;
    add_intent(writer, Kind::semaphore, "/two", facts.born - 2000).tid = 2;
    Report report = judge(writer);
    EXPECT_EQ(names(report), "/aB3xYz /empty0");
    for (const Leak& leak : report.leaks) EXPECT_TRUE(leak.tid == 1 || leak.tid == 2);
    EXPECT_NE(report.leaks[0].tid, report.leaks[1].tid);

    // One file for one intent, and it is the nearest one's.
    std::filesystem::remove(folder / "shm/sem.empty0");
    report = judge();
    ASSERT_EQ(names(report), "/aB3xYz");
    EXPECT_EQ(report.leaks[0].tid, 2);
    EXPECT_EQ(report.leaks[0].details.path, (folder / "shm/sem.aB3xYz").native());

    // Not while the process lives, which would remove it itself.
    test::add_process(folder / "proc", {.pid = 100, .start_ticks = 5000});
    EXPECT_EQ(names(judge()), "");
}

TEST_F(JudgedFiles, LeavesHalfMadeSemaphoresOfOthers) {
    const auto facts = make("shm/sem.aB3xYz");
    RecordWriter writer;
    add_intent(writer, Kind::semaphore, "/late", facts.born + second);
    EXPECT_EQ(names(judge(writer)), "");  // born before the intent

    RecordWriter early;
    add_intent(early, Kind::semaphore, "/early", facts.born - 1000);
    test::add_process(folder / "proc", {.pid = 300});
    std::filesystem::create_symlink(folder / "shm/sem.aB3xYz", folder / "proc/300/fd/3");
    EXPECT_EQ(names(judge(early)), "");  // in use
    std::filesystem::remove_all(folder / "proc/300");
    EXPECT_EQ(names(judge(early)), "/aB3xYz");
    RecordWriter named;
    add_file(named, Kind::semaphore, "/aB3xYz", facts);
    add_intent(named, Kind::semaphore, "/early", facts.born - 1000);
    const Report report = judge(named);  // a name that somebody gave on purpose
    EXPECT_EQ(names(report), "/aB3xYz");
}

// Forked in the middle of its creator's sem_open, a child has the file open for as long as it lives.
TEST_F(JudgedFiles, FindsHalfMadeSemaphoresThatChildrenInherited) {
    const auto facts = make("shm/sem.aB3xYz");
    std::uint64_t ticks = 1;  // about when the file was born
    while (kernel::time_of_ticks(ticks * 2) <= facts.born) ticks *= 2;
    for (std::uint64_t step = ticks; step != 0; step /= 2) {
        if (kernel::time_of_ticks(ticks + step) <= facts.born) ticks += step;
    }
    const auto judge_with_child_of = [&](std::uint64_t start) {
        RecordWriter writer;
        add_intent(writer, Kind::semaphore, "/early", facts.born - 1000);
        add_child(writer, 300, start, start);
        std::filesystem::remove_all(folder / "proc/300");
        test::add_process(folder / "proc", {.pid = 300, .start_ticks = start});
        std::filesystem::create_symlink(folder / "shm/sem.aB3xYz", folder / "proc/300/fd/3");
        return names(judge(writer));
    };
    EXPECT_EQ(judge_with_child_of(ticks), "/aB3xYz python3.11");
    EXPECT_EQ(judge_with_child_of(ticks - 100), "python3.11");  // its own, then
}

// Killed between the link to the real name and the removal of the random one.
TEST_F(JudgedFiles, ReportsBothNamesOfASemaphore) {
    make("shm/sem.real");
    std::filesystem::create_hard_link(folder / "shm/sem.real", folder / "shm/sem.abcdef");
    const auto facts = *kernel::file_facts(folder / "shm/sem.real");
    RecordWriter writer;
    add_intent(writer, Kind::semaphore, "/real", facts.born - 1000);
    EXPECT_EQ(names(judge(writer)), "/abcdef /real");

    RecordWriter confirmed;
    add_file(confirmed, Kind::semaphore, "/real", facts).tid = 5;
    const Report report = judge(confirmed);
    ASSERT_EQ(names(report), "/abcdef /real");
    EXPECT_EQ(report.leaks[0].tid, 5);
    EXPECT_EQ(report.leaks[1].tid, 5);
}

TEST_F(JudgedFiles, FindsQueuesFilesFoldersAndSockets) {
    RecordWriter writer;
    add_file(writer, Kind::message_queue, "/jobs", make("mqueue/jobs"));
    const std::string file = folder / "a/temporary/file/with/a/name/of/more/than/forty/bytes.txt";
    test::write_file(file, "x");
    add_file(writer, Kind::temporary_file, file, *kernel::file_facts(file));
    const std::string below = folder / "a/temporary";
    add_file(writer, Kind::temporary_directory, below, *kernel::file_facts(below));
    add_file(writer, Kind::temporary_file, below, *kernel::file_facts(below));  // a folder is no file

    const std::string path = folder / "s";
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ::close(fd);
    add_file(writer, Kind::socket_file, path, *kernel::file_facts(path));

    const Report report = judge(writer);
    ASSERT_EQ(report.leaks.size(), 4U);
    EXPECT_EQ(names(report), "/jobs " + below + " " + file + " " + path);
}

TEST_F(JudgedFiles, FindsSystemVObjects) {
    test::write_file(
        folder / "proc/sysvipc/shm",
        "key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime rss swap\n"
        "5 7 600 4096 100 0 0 0 0 0 0 0 0 1700000000 0 0\n"
        "6 8 600 4096 100 0 0 0 0 0 0 0 0 1600000000 0 0\n"
        "0 9 600 4096 555 0 0 0 0 0 0 0 0 1700000000 0 0\n");
    RecordWriter writer;
    const auto add = [&](std::uint64_t id, std::uint64_t key) {
        record::Slot& slot = writer.add_slot(Kind::sysv_shared_memory, State::live, "");
        slot.a = id;
        slot.b = key;
        slot.created_ns = 1'700'000'000ULL * second;
    };
    add(7, 5);
    add(8, 6);   // older than the slot
    add(9, 0);   // somebody else's by now
    add(10, 0);  // gone
    const Report report = judge(writer);
    ASSERT_EQ(names(report), "id:7");
    EXPECT_EQ(report.leaks[0].details.more->id, 7U);
    EXPECT_EQ(report.leaks[0].details.more->key, 5U);
    EXPECT_EQ(report.leaks[0].details.bytes, 4096U);
}

TEST_F(JudgedFiles, KeepsFilesOverARebootAndNothingElse) {
    test::write_file(folder / "proc/sys/kernel/random/boot_id", "11111111-2222-3333-4444-555555555555\n");
    test::write_file(folder / "session/session.json", R"({"id": "old", "boot_id": "0"})");
    RecordWriter writer;
    const std::string kept = folder / "kept";
    add_file(writer, Kind::temporary_file, kept, make("kept"));
    add_file(writer, Kind::shared_memory, "/anew", make("shm/anew")).created_ns = 1;
    add_child(writer, 300, 10, 20);
    test::add_process(folder / "proc", {.pid = 300, .start_ticks = 15});
    EXPECT_EQ(names(judge(writer)), kept);
}

}  // namespace
}  // namespace leftover
