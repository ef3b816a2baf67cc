#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "reporter/kernel/file.h"
#include "reporter/kernel/machine.h"
#include "reporter/kernel/mqueue.h"
#include "reporter/kernel/process.h"
#include "reporter/kernel/sysv.h"
#include "reporter/kernel/text.h"
#include "reporter/kernel/users.h"
#include "tests/support/fake_proc.h"
#include "tests/support/temporary_folder.h"

namespace leftover::kernel {
namespace {

using test::FakeProcess;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Stat, ReadsNamesThatHoldAnything) {
    FakeProcess process;
    process.pid = 12;
    process.comm = "a) S (b c";
    process.start_ticks = 4711;
    process.state = 'R';
    const auto stat = parse_stat(test::stat_line(process));
    ASSERT_TRUE(stat);
    EXPECT_EQ(stat->pid, 12);
    EXPECT_EQ(stat->comm, "a) S (b c");
    EXPECT_EQ(stat->state, 'R');
    EXPECT_EQ(stat->ppid, 1);
    EXPECT_EQ(stat->threads, 1);
    EXPECT_EQ(stat->start_ticks, 4711U);
    EXPECT_EQ(stat->resident_bytes, 3U * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
}

TEST(Stat, RefusesGarbage) {
    for (const char* line : {"", "12", "12 (x", "12 (x) S 1", ") (", "x (y) S 1 1 0 -1"}) {
        EXPECT_FALSE(parse_stat(line)) << line;
    }
}

TEST(Stat, KnowsTheDeadFromTheLiving) {
    ProcessStat stat;
    stat.threads = 1;
    stat.state = 'T';
    EXPECT_TRUE(is_alive(stat));
    stat.state = 'Z';
    EXPECT_FALSE(is_alive(stat));
    stat.threads = 3;  // only its first thread has exited
    EXPECT_TRUE(is_alive(stat));
    stat.state = 'X';
    EXPECT_FALSE(is_alive(stat));
}

TEST(Process, ReadsAFolderOfProc) {
    test::TemporaryFolder proc;
    FakeProcess process;
    process.pid = 12;
    process.namespace_pids = "12\t7\t1";
    process.executable = "/opt/tool (deleted)";
    test::add_process(proc.path(), process);
    test::write_file(proc / "meminfo", "");
    const Roots roots{proc.path(), {}, {}};

    EXPECT_THAT(list_processes(roots), ElementsAre(12));
    const auto status = read_status(12, roots);
    ASSERT_TRUE(status);
    EXPECT_EQ(status->uid, 1000U);
    EXPECT_EQ(status->effective_uid, 1001U);
    EXPECT_THAT(status->namespace_pids, ElementsAre(12, 7, 1));
    EXPECT_THAT(read_command(12, roots), ElementsAre("python3", "worker.py"));
    EXPECT_EQ(read_executable(12, roots), "/opt/tool");
    EXPECT_EQ(program_name(*read_stat(12, roots), roots), "tool");

    EXPECT_FALSE(read_stat(13, roots));
    EXPECT_FALSE(read_stat(-1, roots));
    EXPECT_FALSE(read_status(13, roots));
    EXPECT_THAT(read_command(13, roots), IsEmpty());
    EXPECT_EQ(read_executable(13, roots), "");
}

TEST(Process, ReadsItself) {
    const auto stat = read_stat(::getpid());
    ASSERT_TRUE(stat);
    EXPECT_EQ(stat->ppid, ::getppid());
    EXPECT_TRUE(is_alive(*stat));
    EXPECT_EQ(read_status(::getpid())->uid, ::getuid());
    EXPECT_EQ(read_pid_namespace(::getpid()), own_pid_namespace());
    EXPECT_THAT(list_processes(), Contains(::getpid()));
    EXPECT_LT(time_of_ticks(stat->start_ticks), now());
    EXPECT_GT(time_of_ticks(stat->start_ticks), now() - 600'000'000'000);
}

TEST(File, LooksAtTheNameItself) {
    test::TemporaryFolder folder;
    test::write_file(folder / "sem.a", std::string(32, 'x'));
    std::filesystem::create_symlink("sem.a", folder / "sem.b");
    std::filesystem::create_hard_link(folder / "sem.a", folder / "c");
    struct stat expected{};
    ASSERT_EQ(::stat((folder / "sem.a").c_str(), &expected), 0);

    const auto facts = file_facts(folder / "sem.a");
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->id.inode, expected.st_ino);
    EXPECT_EQ(facts->id.device, expected.st_dev);
    EXPECT_EQ(facts->uid, ::getuid());
    EXPECT_EQ(facts->bytes, 32U);
    EXPECT_EQ(facts->links, 2U);
    EXPECT_NEAR(static_cast<double>(facts->born), static_cast<double>(now()), 5e9);
    EXPECT_TRUE(S_ISLNK(file_facts(folder / "sem.b")->mode));
    EXPECT_FALSE(file_facts(folder / "sem.d"));

    const auto named = list_folder(folder.path(), [](auto name) { return name == "sem.a"; });
    ASSERT_EQ(named.size(), 1U);
    EXPECT_EQ(named[0].facts.id, facts->id);
    EXPECT_THAT(list_folder(folder / "none", [](auto) { return true; }), IsEmpty());
}

TEST(Users, SeesOpenAndMappedFiles) {
    test::TemporaryFolder folder;
    for (const char* name : {"open", "mapped", "idle"}) test::write_file(folder / name, "text");
    const int open = ::open((folder / "open").c_str(), O_RDONLY | O_CLOEXEC);
    const int fd = ::open((folder / "mapped").c_str(), O_RDONLY | O_CLOEXEC);
    void* mapping = ::mmap(nullptr, 4, PROT_READ, MAP_SHARED, fd, 0);
    ASSERT_NE(mapping, MAP_FAILED);
    ::close(fd);
    const UsedFiles used = used_files({::getpid(), -1});
    EXPECT_TRUE(used.uses(file_facts(folder / "open")->id));
    EXPECT_TRUE(used.uses(file_facts(folder / "mapped")->id));
    EXPECT_FALSE(used.uses(file_facts(folder / "idle")->id));
    ::munmap(mapping, 4);
    ::close(open);
}

TEST(Users, ReadsMappings) {
    UsedFiles used;
    add_mappings(
        "7f00-7f01 rw-s 00000000 00:1a 77    /dev/shm/a name\n"
        "7f01-7f02 rw-s 00000000 00:01 32769 /SYSV00000000 (deleted)\n"
        "7f02-7f03 rw-p 00000000 00:00 0     [heap]\n"
        "nonsense\n",
        used);
    EXPECT_TRUE(used.uses({makedev(0, 0x1a), 77}));
    EXPECT_EQ(used.files.size(), 2U);
    EXPECT_THAT(used.sysv_shared_memory, ElementsAre(32769));
}

TEST(Sysv, ReadsTheKernelsTables) {
    const auto shm = parse_sysv(
        record::Kind::sysv_shared_memory,
        "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid"
        "      atime      dtime      ctime                   rss                  swap\n"
        "-559038737      32770   640                  4096    71    72      0  1000  1000  1001  1000"
        "          0          0 1700000000                     0                     0\n"
        "         0      32771  1600                  4096    71    72      1  1000  1000  1001  1000"
        " 1700000000          0 1700000000                     0                     0\n");
    ASSERT_EQ(shm.size(), 1U);
    EXPECT_EQ(shm[0].id, 32770);
    EXPECT_EQ(shm[0].key, 0xdeadbeef);
    EXPECT_EQ(shm[0].uid, 1000U);
    EXPECT_EQ(shm[0].creator_uid, 1001U);
    EXPECT_EQ(shm[0].creator_pid, 71);
    EXPECT_EQ(shm[0].changed, 1700000000);
    EXPECT_EQ(shm[0].bytes, 4096U);
    EXPECT_EQ(shm[0].mode, 0640U);
    EXPECT_FALSE(shm[0].used);

    const auto sem = parse_sysv(
        record::Kind::sysv_semaphore,
        "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n"
        "         0          5   600          1  1000  1000  1000  1000          0 1700000001\n"
        "a line that is none\n");
    ASSERT_EQ(sem.size(), 1U);
    EXPECT_EQ(sem[0].id, 5);
    EXPECT_EQ(sem[0].changed, 1700000001);
    EXPECT_EQ(sem[0].semaphores, 1U);
    EXPECT_FALSE(sem[0].used);

    const auto queue = parse_sysv(
        record::Kind::sysv_message_queue,
        "key msqid perms cbytes qnum lspid lrpid uid gid cuid cgid stime rtime ctime\n"
        "7 6 666 12 1 71 0 1000 1000 1000 1000 1700000002 0 1700000001\n");
    ASSERT_EQ(queue.size(), 1U);
    EXPECT_EQ(queue[0].bytes, 12U);
    EXPECT_TRUE(queue[0].used);
    EXPECT_THAT(parse_sysv(record::Kind::sysv_message_queue, ""), IsEmpty());
}

TEST(Mqueue, LooksBelowTheMount) {
    test::TemporaryFolder folder;
    test::write_file(folder / "jobs", "");
    const Roots roots{{}, {}, folder.path()};
    ASSERT_TRUE(queue_facts("/jobs", roots));
    EXPECT_EQ(queue_facts("/jobs", roots)->id, file_facts(folder / "jobs")->id);
    EXPECT_FALSE(queue_facts("/other", roots));
    EXPECT_FALSE(queue_facts("/leftover-test-no-such-queue"));
}

TEST(Text, SplitsAndParses) {
    EXPECT_THAT(split_words(" a\t b  "), ElementsAre("a", "b"));
    EXPECT_THAT(split_words("  "), IsEmpty());
    EXPECT_EQ(parse_number<int>("12"), 12);
    EXPECT_EQ(parse_number<unsigned>("1f", 16), 31U);
    EXPECT_FALSE(parse_number<int>("12x"));
    EXPECT_FALSE(parse_number<int>(""));
    EXPECT_FALSE(parse_number<unsigned>("-1"));
}

}  // namespace
}  // namespace leftover::kernel
