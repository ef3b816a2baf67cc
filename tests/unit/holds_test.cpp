#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "reporter/kernel/holds.h"
#include "tests/support/fake_proc.h"

namespace leftover::kernel {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr const char* tcp_header =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

TEST(Listeners, AreReadFromTheTablesOfTcp) {
    Listeners found;
    add_tcp_listeners(
        std::string(tcp_header) +
            "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0"
            "        0 4711 1 0000000000000000 100 0 0 10 0\n"
            "   1: 0100007F:1F90 0100007F:A000 01 00000000:00000000 00:00000000 00000000     0"
            "        0 4712 1 0000000000000000 20 4 30 10 -1\n"
            "   2: nonsense:1F90 00000000:0000 0A 0 0 0 0 0 4713\n"
            "   3: 0100007F\n",
        found);
    add_tcp_listeners(
        std::string(tcp_header) +
            "   0: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A"
            " 00000000:00000000 00:00000000 00000000     0        0 4714 1 0 100 0 0 10 0\n"
            "   1: 0000000000000000FFFF00000100007F:0051 00000000000000000000000000000000:0000 0A"
            " 00000000:00000000 00:00000000 00000000     0        0 4715 1 0 100 0 0 10 0\n",
        found);
    EXPECT_THAT(found, UnorderedElementsAre(Pair(4711, "tcp:127.0.0.1:8080"), Pair(4714, "tcp:[::1]:80"),
                                            Pair(4715, "tcp:[::ffff:127.0.0.1]:81")));
}

TEST(Listeners, AreReadFromTheTableOfUnixSockets) {
    Listeners found;
    add_unix_listeners(
        "Num       RefCount Protocol Flags    Type St Inode Path\n"
        "0000000000000000: 00000002 00000000 00010000 0001 01 101 /run/a b\n"
        "0000000000000000: 00000002 00000000 00010000 0001 01 102 @abstract\n"
        "0000000000000000: 00000003 00000000 00000000 0001 03 103 /run/connected\n"
        "0000000000000000: 00000003 00000000 00010000 0001 01 104\n",
        found);
    EXPECT_THAT(found, UnorderedElementsAre(Pair(101, "unix:/run/a b"), Pair(102, "unix:@abstract")));
}

class Held : public ::testing::Test {
protected:
    Held() {
        roots.proc = folder / "proc";
        test::add_process(roots.proc, {.pid = 300});
    }
    void open(int fd, const std::string& target, const std::string& information = "pos:\t0\n") {
        std::filesystem::create_symlink(target, folder / "proc/300/fd" / std::to_string(fd));
        test::write_file(folder / "proc/300/fdinfo" / std::to_string(fd), information);
    }
    std::string make(const std::string& name) {
        test::write_file(folder / name, "");
        return folder / name;
    }

    test::TemporaryFolder folder;
    Roots roots;
};

TEST_F(Held, StandardStreamsSocketsDevicesAndLocks) {
    const std::string output = make("output");
    const auto id = file_facts(output)->id;
    test::write_file(folder / "proc/300/net/tcp",
                     std::string(tcp_header) + "0: 0100007F:1F90 00000000:0000 0A 0 0 0 0 0 4711\n");
    test::write_file(folder / "proc/300/net/unix",
                     "Num\n0: 2 0 00010000 0001 01 4712 /run/x\n0: 2 0 00010000 0001 01 4713 /run/not-its\n");
    open(0, "/dev/null");
    open(1, output);
    open(3, "socket:[4711]");
    open(4, "socket:[4712]");
    open(5, "socket:[9999]");
    open(6, "/dev/nvidia0");
    open(7, "/dev/nvidia0");
    open(8, "/dev/pts/3");
    open(9, "/dev/tty1");
    open(10, make("locked"),
         "pos:\t0\nlock:\t1: FLOCK  ADVISORY  WRITE 300 08:01:77 0 EOF\n");
    open(11, make("leased"), "lock:\t1: LEASE  ACTIVE    READ 300 08:01:77 0 EOF\n");
    open(12, make("plain"));
    open(13, "pipe:[12]");
    const std::string lock = "lock:" + (folder / "locked").native();
    EXPECT_THAT(Holdings(id, std::nullopt, roots).of(300),
                ElementsAre("stdout", "tcp:127.0.0.1:8080", "unix:/run/x", "/dev/nvidia0", lock));
    EXPECT_THAT(Holdings(id, id, roots).of(300),
                ElementsAre("stdout", "stderr", "tcp:127.0.0.1:8080", "unix:/run/x", "/dev/nvidia0", lock));
}

TEST_F(Held, NothingByWhoIsGoneAndNothingOfTheNullDevice) {
    open(1, "/dev/null");
    const auto null = file_facts("/dev/null")->id;
    EXPECT_THAT(Holdings(null, null, roots).of(300), IsEmpty());
    EXPECT_THAT(Holdings(null, null, roots).of(301), IsEmpty());
}

}  // namespace
}  // namespace leftover::kernel
