// The state folder, sessions' folders and what is told about them.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "reporter/kernel/machine.h"
#include "reporter/kernel/process.h"
#include "reporter/run/environment.h"
#include "reporter/run/session_file.h"
#include "reporter/run/session_folder.h"
#include "reporter/run/state_folder.h"
#include "tests/support/temporary_folder.h"

namespace leftover::run {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;

class State : public testing::Test {
protected:
    StatePlace place(const std::string& state_dir) const { return {state_dir, "", ::geteuid()}; }
    std::string reason(const StatePlace& where) const {
        try {
            return "accepted: " + state_folder(where);
        } catch (const std::runtime_error& error) {
            return error.what();
        }
    }
    std::string path(const std::string& name) const { return (folder_ / name).string(); }

    TemporaryFolder folder_;
};

TEST_F(State, isMadeForItsOwnerAlone) {
    const std::string made = state_folder(place(path("a/b/")));
    EXPECT_EQ(made, fs::canonical(path("a/b")).string());
    struct stat status {};
    ASSERT_EQ(::stat(made.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0700U);
    EXPECT_EQ(state_folder(place(path("a/b"))), made);
}

TEST_F(State, isRefusedWhenOthersGetAtIt) {
    fs::create_directory(path("open"));
    ::chmod(path("open").c_str(), 0750);
    EXPECT_NE(reason(place(path("open"))).find("mode 0750"), std::string::npos);

    fs::create_directory(path("real"));
    ::chmod(path("real").c_str(), 0700);
    fs::create_symlink("real", path("link"));
    EXPECT_NE(reason(place(path("link"))).find("is a symbolic link"), std::string::npos);
    EXPECT_NE(reason(place(path("link//"))).find("is a symbolic link"), std::string::npos);

    StatePlace other = place(path("real"));
    other.user += 1;
    EXPECT_NE(reason(other).find("belongs to user"), std::string::npos);
}

TEST_F(State, ofTheRuntimeFolderOnlyIfThatIsTheUsersOwn) {
    const StatePlace own{"", path(""), ::geteuid()};
    EXPECT_EQ(state_folders(own).front(), path("leftover"));
    const StatePlace missing{"", path("missing"), ::geteuid()};
    EXPECT_EQ(state_folders(missing).front(), "/tmp/leftover-" + std::to_string(::geteuid()));
    const StatePlace foreign{"", path(""), ::geteuid() + 1};
    EXPECT_EQ(state_folders(foreign).front(), "/tmp/leftover-" + std::to_string(::geteuid() + 1));
    const StatePlace all{"/s", path(""), ::geteuid()};
    EXPECT_EQ(state_folders(all).size(), 3U);
}

TEST_F(State, sessionLivesAsLongAsItsLauncher) {
    const std::string state = state_folder(place(path("state")));
    {
        SessionFolder session = SessionFolder::create(state, "one");
        EXPECT_EQ(session.path(), state + "/one");
        EXPECT_TRUE(session_lives(session.path()));
        EXPECT_THROW(SessionFolder::create(state, "one"), std::runtime_error);
        EXPECT_TRUE(fs::exists(session.path()));
    }
    EXPECT_FALSE(session_lives(state + "/one"));
    EXPECT_FALSE(session_lives(state + "/none"));
}

TEST_F(State, sessionLivesAsLongAsAProcessOfIts) {
    const std::string state = state_folder(place(path("state")));
    const auto self = kernel::read_stat(::getpid());
    ASSERT_TRUE(self);
    fs::create_directory(state + "/mine");
    const std::string record = state + "/mine/" + std::to_string(::getpid()) + "-";
    std::ofstream(record + std::to_string(self->start_ticks + 1) + "-0.record");
    EXPECT_FALSE(session_lives(state + "/mine"));  // an earlier process of that pid
    std::ofstream(record + std::to_string(self->start_ticks) + "-0.record");
    EXPECT_TRUE(session_lives(state + "/mine"));
    EXPECT_THROW(SessionFolder::create(state, "mine"), std::runtime_error);
}

TEST_F(State, deadSessionsDamagedRecordsAreKept) {
    const std::string state = state_folder(place(path("state")));
    for (const char* expected : {"one.1", "one.2"}) {
        fs::create_directories(state + "/one");
        std::ofstream(state + "/one/1-2-0.record") << "damaged";
        SessionFolder::create(state, "one").remove();
        EXPECT_TRUE(fs::exists(state + "/" + expected + "/1-2-0.record")) << expected;
    }
    fs::create_directories(state + "/empty");
    SessionFolder::create(state, "empty").remove();
    EXPECT_FALSE(fs::exists(state + "/empty.1"));
}

TEST_F(State, sessionIds) {
    for (const char* good : {"a", "A-b_c.9", "s20260102-030405-1-ab12"})
        EXPECT_TRUE(is_session_id(good));
    for (const char* bad : {"", "1a", ".a", "-a", "a/b", "a b", "a\n", "\xc3\xa4"}) {
        EXPECT_FALSE(is_session_id(bad)) << bad;
    }
    EXPECT_TRUE(is_session_id(std::string(63, 'a')));
    EXPECT_FALSE(is_session_id(std::string(64, 'a')));
    EXPECT_TRUE(is_session_id(make_session_id()));
}

TEST_F(State, sessionFileComesBackAsItWas) {
    SessionFile file;
    file.session.id = "one";
    file.session.command = {"sh", "-c", "", "\xff"};
    file.session.cwd = "/x";
    file.session.host = {"h", "k", "m"};
    file.session.started_at = 1'700'000'000'123'456'000;
    file.session.labels = {{"a", "b"}};
    file.launcher = {1, 2};
    file.program = {3, 4};
    file.executable = "/bin/sh";
    file.instrumented = false;
    file.reason = "static";
    file.boot_id = "b";
    write_session_file(path(""), file);
    auto read = read_session_file(path(""));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->session.id, "one");
    EXPECT_EQ(read->session.command, (std::vector<std::string>{"sh", "-c", "", "\xef\xbf\xbd"}));
    EXPECT_EQ(read->session.started_at, file.session.started_at);
    EXPECT_EQ(read->session.labels, file.session.labels);
    EXPECT_EQ(read->program.pid, 3);
    EXPECT_EQ(read->launcher.start_ticks, 2U);
    EXPECT_EQ(read->reason, "static");
    EXPECT_FALSE(read->ended);

    file.ended = true;
    file.session.exit.signal = 15;
    file.session.duration_seconds = 1.5;
    write_session_file(path(""), file);
    read = read_session_file(path(""));
    ASSERT_TRUE(read);
    EXPECT_TRUE(read->ended);
    EXPECT_EQ(read->session.exit.signal, 15);
    EXPECT_EQ(read->session.duration_seconds, 1.5);

    test::write_file(folder_ / session_file_name, "{\"id\": 1}");
    EXPECT_FALSE(read_session_file(path("")));
    EXPECT_FALSE(read_session_file(path("none")));
}

TEST(Environment, shimIsPutFirst) {
    EXPECT_EQ(preload_list("/s.so", "", ""), "/s.so");
    EXPECT_EQ(preload_list("/s.so", "", "a.so b.so"), "/s.so:a.so b.so");
    EXPECT_EQ(preload_list("/s.so", "", ":a.so"), "/s.so:a.so");
}

TEST(Environment, butForAddressSanitizer) {
    EXPECT_EQ(preload_list("/s.so", "libasan.so.8", ""), "libasan.so.8::/s.so");
    EXPECT_EQ(preload_list("/s.so", "libasan.so.8", "a.so"), "libasan.so.8::/s.so:a.so");
    EXPECT_EQ(preload_list("/s.so", "", "/usr/lib/libasan.so.8:a.so"),
              "/usr/lib/libasan.so.8:/s.so:a.so");
    EXPECT_EQ(preload_list("/s.so", "", "a.so:libasan.so.8"), "/s.so:a.so:libasan.so.8");
}

TEST(Environment, keepsEverythingElse) {
    const char* before[] = {"A=1",
                            "LD_PRELOAD=x.so",
                            "LEFTOVER_INTERNAL=1;dir=/outer",
                            "LEFTOVER_OPTIONS=mode=off",
                            "B=",
                            nullptr};
    ShimOptions options;
    options.session = "one";
    options.folder = "/state/a;b/one";
    options.launcher = 7;
    options.python = false;
    options.kinds = 0x402;
    const std::vector<std::string> expected = {
        "A=1", "LD_PRELOAD=/s.so:x.so", "LEFTOVER_OPTIONS=mode=off", "B=",
        "LEFTOVER_INTERNAL=1;id=one;launcher=7;depth=64;python=0;clean=0;limited=0;kinds=402;dir=/state/a;b/one"};
    EXPECT_EQ(environment_with_shim(before, "/s.so", "", options), expected);
    EXPECT_EQ(
        environment_without_shim(before),
        (std::vector<std::string>{"A=1", "LD_PRELOAD=x.so", "LEFTOVER_OPTIONS=mode=off", "B="}));
}

TEST(Environment, ofSeveralListsTheLoaderReadsTheLast) {
    const char* before[] = {"LD_PRELOAD=first.so", "A=1", "LD_PRELOAD=", nullptr};
    const auto with_shim = environment_with_shim(before, "/s.so", "", ShimOptions{});
    ASSERT_EQ(with_shim.size(), 4U);
    EXPECT_EQ(with_shim[0], "LD_PRELOAD=first.so");
    EXPECT_EQ(with_shim[2], "LD_PRELOAD=/s.so:");  // was empty, and is to be found so by the program
}

TEST(Environment, outerSession) {
    using namespace std::string_literals;
    EXPECT_EQ(outer_session_folder("A=1\0LEFTOVER_INTERNAL=1;id=x;dir=/a;b/x\0B=2\0"s), "/a;b/x");
    EXPECT_EQ(outer_session_folder("A=1\0XLEFTOVER_INTERNAL=1;dir=/a\0"s), "");
    EXPECT_EQ(outer_session_folder("LEFTOVER_INTERNAL=1"s), "");
    EXPECT_EQ(outer_session_folder(""s), "");
}

}  // namespace
}  // namespace leftover::run
