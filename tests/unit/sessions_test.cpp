// Sessions: how one ended, which there are, and how they are shown.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "reporter/render/sessions.h"
#include "reporter/run/outcome.h"
#include "reporter/run/process_limit.h"
#include "reporter/run/session_folder.h"
#include "reporter/run/state_folder.h"
#include "reporter/run/stop.h"
#include "tests/support/temporary_folder.h"

namespace leftover::run {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;

class SessionsTest : public testing::Test {
protected:
    std::string path(const std::string& name) const { return (folder_ / name).string(); }

    TemporaryFolder folder_;
};

TEST_F(SessionsTest, outcomeIsReadByWhoHasItOpenWhenItIsGone) {
    std::optional<OutcomeFile> own = OutcomeFile::create(path(""));
    const auto other = OutcomeFile::open(path(""));
    ASSERT_TRUE(other);
    EXPECT_FALSE(other->wait_for(0.02));
    EXPECT_FALSE(other->read());
    Outcome outcome;
    outcome.exit.signal = SIGTERM;
    outcome.left = 3;
    own->write(outcome);
    fs::remove(path("outcome"));
    own.reset();
    other->wait();
    const auto read = other->read();
    ASSERT_TRUE(read);
    EXPECT_EQ(read->exit.signal, SIGTERM);
    EXPECT_FALSE(read->exit.code);
    EXPECT_EQ(read->left, 3U);
}

TEST_F(SessionsTest, outcomeOfAKilledLeftoverIsNone) {
    { const OutcomeFile own = OutcomeFile::create(path("")); }
    const auto other = OutcomeFile::open(path(""));
    ASSERT_TRUE(other && other->wait_for(0));
    EXPECT_FALSE(other->read());
    EXPECT_THROW(OutcomeFile::create(path("")), std::runtime_error);
    EXPECT_FALSE(OutcomeFile::open(path("missing")));
    std::ofstream(path("outcome")) << "{\"code\":";
    EXPECT_FALSE(other->read());
}

TEST_F(SessionsTest, stopRequest) {
    EXPECT_FALSE(read_stop_request(path("")));
    write_stop_request(path(""), 2.5);
    EXPECT_EQ(read_stop_request(path("")), 2.5);
    EXPECT_THROW(write_stop_request(path("missing"), 1), std::runtime_error);
}

TEST_F(SessionsTest, stateFoldersThatCanBeTrusted) {
    fs::create_directory(path("mine"));
    ::chmod(path("mine").c_str(), 0700);
    fs::create_directories(path("runtime/leftover"));
    ::chmod(path("runtime/leftover").c_str(), 0755);
    std::vector<std::string> refused;
    const auto usable = usable_state_folders(refused, {path("mine"), path("runtime"), ::geteuid()});
    ASSERT_FALSE(usable.empty());
    EXPECT_EQ(usable.front(), fs::canonical(path("mine")).string());
    ASSERT_FALSE(refused.empty());
    EXPECT_NE(refused.front().find("runtime/leftover' is open to other users"), std::string::npos);
}

TEST_F(SessionsTest, stateOfASession) {
    EXPECT_EQ(session_state(path("missing")), SessionState::ended);
    {
        const SessionFolder folder = SessionFolder::create(path(""), "one");
        EXPECT_EQ(session_state(folder.path()), SessionState::running);
        EXPECT_FALSE(lock_dead_session(folder.path()));
    }
    EXPECT_EQ(session_state(path("one")), SessionState::ended);
    EXPECT_TRUE(lock_dead_session(path("one")));
}

TEST_F(SessionsTest, limitOfProcesses) {
    ProcessLimit limit(path(""), 3);
    EXPECT_EQ(fs::file_size(path("processes.limit")), record::process_limit_size(3));
    limit.enter(::getpid());
    limit.enter(::getpid());
    limit.take_stock();  // a double goes
    std::ifstream file(path("processes.limit"), std::ios::binary);
    std::array<std::uint64_t, 6> words{};
    file.read(reinterpret_cast<char*>(words.data()), sizeof words);
    EXPECT_EQ(record::place_pid(words[3]), static_cast<std::uint32_t>(::getpid()));
    EXPECT_EQ(words[4], 0U);
    EXPECT_EQ(words[5], 0U);
    EXPECT_THROW(ProcessLimit(path("missing"), 3), std::runtime_error);
}

TEST(ProcessPlace, holdsEveryPid) {
    constexpr std::uint32_t largest = 4'194'304;
    const std::uint64_t word = record::place_of(largest, 123'456'789'012ULL);
    EXPECT_EQ(record::place_pid(word), largest);
    EXPECT_EQ(record::place_ticks(word), 123'456'789'012ULL);
    EXPECT_EQ(word & record::making_a_child, 0U);
    EXPECT_EQ(record::place_pid(word | record::making_a_child), largest);
}

SessionView view() {
    SessionView session;
    session.id = "night\x1b[2Jly";
    session.state = SessionState::running;
    session.pid = 4711;
    session.command = {"sh", "-c", "echo \x07 bell"};
    session.labels = {{"team", "core"}};
    session.started_at = 1'700'000'000'000'000'000;
    session.elapsed_seconds = 75.04;
    session.exit.running = true;
    session.processes = 2;
    session.threads = 9;
    session.semaphores = 105;
    session.resident_bytes = 45U << 20U;
    session.standard_output = "/tmp/out";
    return session;
}

TEST(ShownSessions, asText) {
    std::ostringstream out;
    SessionView ended = view();
    ended.state = SessionState::ended;
    ended.exit = {};
    ended.exit.signal = SIGKILL;
    SessionView alone = view();
    alone.state = SessionState::unsupervised;
    render::sessions_text({view(), ended, alone}, {}, out);
    const std::string text = out.str();
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_EQ(text.find('\x07'), std::string::npos);
    EXPECT_NE(text.find("night\\x1b[2Jly  running         4711   75.0 s      2        9   105    -  45 MiB"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("ended, SIGKILL"), std::string::npos);
    EXPECT_NE(text.find("running alone"), std::string::npos);
    EXPECT_NE(text.find("[team=core]"), std::string::npos);
}

TEST(ShownSessions, withinTheWidth) {
    render::Options options;
    options.width = 40;
    std::ostringstream out;
    render::sessions_text({view()}, options, out);
    std::istringstream lines(out.str());
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 40U) << line;
}

TEST(ShownSessions, asJson) {
    std::ostringstream out;
    render::sessions_json({view()}, out);
    const auto session = nlohmann::json::parse(out.str()).at("sessions").at(0);
    EXPECT_EQ(session.at("state"), "running");
    EXPECT_EQ(session.at("exit"), nlohmann::json({{"running", true}}));
    EXPECT_EQ(session.at("stdout"), "/tmp/out");
    EXPECT_TRUE(session.at("stderr").is_null());
    EXPECT_EQ(session.at("labels").at("team"), "core");
    EXPECT_EQ(session.at("semaphores"), 105);
    std::ostringstream none;
    render::sessions_json({}, none);
    EXPECT_EQ(none.str(), "{\"sessions\": []}\n");
}

}  // namespace
}  // namespace leftover::run
