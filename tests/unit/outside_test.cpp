#include "reporter/judge/outside.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/support/judge_fixture.h"

namespace leftover {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* sysv_header =
    "key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime rss swap\n";

std::string sysv_line(int id, int creator, uid_t uid) {
    return "0 " + std::to_string(id) + " 600 4096 " + std::to_string(creator) + " 0 0 " +
           std::to_string(uid) + " 0 " + std::to_string(uid) + " 0 0 0 1700000000 0 0\n";
}

class Outside : public test::JudgeFixture {
protected:
    void set_sysv(const std::string& lines) {
        test::write_file(folder / "proc/sysvipc/shm", sysv_header + lines);
    }
    Snapshot look() { return snapshot(options.roots); }
    std::vector<Leak> compare(const Snapshot& before, const std::set<int>& processes,
                              const std::vector<Leak>& claimed = {}) {
        Creators creators;
        for (const int pid : processes) creators.insert({pid, {}});
        return appeared(before, look(), processes, creators, claimed, options.roots);
    }
};

TEST_F(Outside, ListsWhatIsNew) {
    make("shm/old");
    std::filesystem::create_directory(folder / "shm/folder");
    const Snapshot before = look();
    EXPECT_THAT(compare(before, {}), IsEmpty());
    const auto facts = make("shm/sem.new");
    make("shm/memory", "123");
    make("mqueue/jobs");
    std::filesystem::create_directory(folder / "shm/new-folder");

    const auto leaks = compare(before, {});
    ASSERT_THAT(leaks, SizeIs(3));
    for (const Leak& leak : leaks) {
        EXPECT_EQ(leak.severity, Severity::note);
        EXPECT_EQ(leak.details.more->attribution, "window");
        EXPECT_EQ(leak.pid, 0);
        if (leak.kind == Kind::semaphore) {
            EXPECT_EQ(leak.name, "/new");
            EXPECT_EQ(leak.details.path, (folder / "shm/sem.new").native());
            EXPECT_EQ(leak.details.inode, facts.id.inode);
            EXPECT_EQ(leak.created_at, facts.born);
        } else if (leak.kind == Kind::message_queue) {
            EXPECT_EQ(leak.name, "/jobs");
        } else {
            EXPECT_EQ(leak.kind, Kind::shared_memory);
            EXPECT_EQ(leak.name, "/memory");
            EXPECT_EQ(leak.details.bytes, 3U);
        }
    }
    EXPECT_THAT(compare(before, {}, leaks), IsEmpty());  // told of already
}

TEST_F(Outside, KnowsAFileMadeAnew) {
    make("shm/a");
    const Snapshot before = look();
    test::write_file(folder / "shm/b", "");  // keeps the inode from being used again
    std::filesystem::rename(folder / "shm/b", folder / "shm/a");
    EXPECT_THAT(compare(before, {}), SizeIs(1));
}

TEST_F(Outside, BlamesTheSessionForWhatItHasOpen) {
    const Snapshot before = look();
    make("shm/theirs");
    make("shm/other");
    test::add_process(folder / "proc", {.pid = 300});
    std::filesystem::create_symlink(folder / "shm/theirs", folder / "proc/300/fd/3");
    test::add_process(folder / "proc", {.pid = 301});
    std::filesystem::create_symlink(folder / "shm/other", folder / "proc/301/fd/3");
    const auto leaks = compare(before, {300, 302});
    ASSERT_THAT(leaks, SizeIs(2));
    for (const Leak& leak : leaks) {
        const bool is_theirs = leak.name == "/theirs";
        EXPECT_EQ(leak.severity, is_theirs ? Severity::error : Severity::note);
        EXPECT_EQ(leak.details.more->attribution.has_value(), !is_theirs);
    }
}

TEST_F(Outside, BlamesTheCreatorThatTheKernelNames) {
    set_sysv(sysv_line(1, 300, ::geteuid()));
    const Snapshot before = look();
    set_sysv(sysv_line(1, 300, ::geteuid()) + sysv_line(2, 300, ::geteuid()) +
             sysv_line(3, 999, ::geteuid()) + sysv_line(4, 999, ::geteuid()) +
             sysv_line(5, 300, ::geteuid() + 1));
    test::add_process(folder / "proc",
                      {.pid = 301, .maps = "7f-8f rw-s 00000000 00:01 4 /SYSV00000000 (deleted)\n"});
    const auto leaks = compare(before, {300, 301});
    // Another user's is root's affair only.
    ASSERT_THAT(leaks, SizeIs(::geteuid() == 0 ? 4 : 3));
    for (const Leak& leak : leaks) {
        EXPECT_EQ(leak.kind, Kind::sysv_shared_memory);
        EXPECT_EQ(leak.severity, leak.name == "id:3" ? Severity::note : Severity::error);
        EXPECT_EQ(leak.pid, leak.name == "id:2" || leak.name == "id:5" ? 300 : 0);
    }
}

TEST_F(Outside, DoesNotBlameWhoEndedBefore) {
    const Snapshot before = look();
    constexpr Time made = 1'700'000'000'000'000'000;
    constexpr Time second = 1'000'000'000;
    set_sysv(sysv_line(1, 300, ::geteuid()) + sysv_line(2, 301, ::geteuid()) + sysv_line(3, 302, ::geteuid()) +
             sysv_line(4, 303, ::geteuid()));
    const Creators creators = {{300, {made - 5 * second, made - 2 * second}},  // its pid was given to another
                               {301, {made + 3 * second, 0}},                  // or it is the other
                               {302, {made - 5 * second, made - 2 * second}},
                               {302, {made - second, made + second / 2}},      // of the same session
                               {303, {made + second / 2, made + second}}};     // the kernel knows the second only
    const auto leaks = appeared(before, look(), {}, creators, {}, options.roots);
    ASSERT_THAT(leaks, SizeIs(4));
    for (const Leak& leak : leaks) {
        const bool is_theirs = leak.name == "id:3" || leak.name == "id:4";
        EXPECT_EQ(leak.severity, is_theirs ? Severity::error : Severity::note) << leak.name;
    }
}

}  // namespace
}  // namespace leftover
