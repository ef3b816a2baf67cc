// The cleaner by itself: identity, several cleaners, interrupted ones.
#include "reporter/clean/clean.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "reporter/clean/helpers.h"
#include "reporter/kernel/file.h"
#include "reporter/kernel/process.h"
#include "tests/support/temporary_folder.h"

namespace leftover {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;

Leak file_leak(const std::string& path) {
    std::ofstream(path) << "text";
    const auto facts = kernel::file_facts(path);
    Leak leak;
    leak.kind = Kind::temporary_file;
    leak.severity = Severity::error;
    leak.name = path;
    leak.details.path = path;
    leak.details.inode = facts->id.inode;
    leak.details.device = facts->id.device;
    return leak;
}

class Sleeper {
public:
    Sleeper() : pid_(::fork()) {
        if (pid_ == 0) {
            for (;;) ::pause();
        }
    }
    ~Sleeper() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    int pid() const { return pid_; }
    Leak leak() const {
        Leak leak;
        leak.kind = Kind::process;
        leak.severity = Severity::error;
        leak.name = "sleeper";
        leak.details.more.edit().pid = pid_;
        leak.details.more.edit().start_ticks = kernel::read_stat(pid_)->start_ticks;
        return leak;
    }
    bool is_alive() const {
        const auto stat = kernel::read_stat(pid_);
        return stat && kernel::is_alive(*stat);
    }

private:
    pid_t pid_;
};

Report report_of(std::vector<Leak> leaks) {
    Report report;
    report.sessions.emplace_back();
    report.leaks = std::move(leaks);
    return report;
}

TEST(Clean, anotherProcessOfThePidIsNotSignalled) {
    const Sleeper sleeper;
    Leak leak = sleeper.leak();
    ++*leak.details.more.edit().start_ticks;
    Report report = report_of({leak});
    clean::clean(report, {});
    EXPECT_TRUE(sleeper.is_alive());
    EXPECT_EQ(report.cleanup->actions.at(0).result, "gone");

    Report known = report_of({sleeper.leak()});
    clean::clean(known, {});
    EXPECT_FALSE(sleeper.is_alive());
    EXPECT_EQ(known.leaks.at(0).status, Status::cleaned);
}

TEST(Clean, onlyWhatIsLeakedAndNoNoteNorWindow) {
    const TemporaryFolder folder;
    std::vector<Leak> leaks;
    for (int i = 0; i < 5; ++i) leaks.push_back(file_leak(folder.path() / std::to_string(i)));
    leaks[1].status = Status::suppressed;
    leaks[2].status = Status::baseline;
    leaks[3].severity = Severity::note;
    leaks[4].details.more.edit().attribution = "window";
    Report report = report_of(leaks);
    clean::clean(report, {});
    EXPECT_FALSE(fs::exists(folder.path() / "0"));
    for (int i = 1; i < 5; ++i) EXPECT_TRUE(fs::exists(folder.path() / std::to_string(i))) << i;
    EXPECT_EQ(report.cleanup->actions.size(), 1u);
}

TEST(Clean, aFileOfTheSameNameIsAnother) {
    const TemporaryFolder folder;
    const std::string path = folder.path() / "name";
    const Leak leak = file_leak(path);
    std::ofstream(path + ".new") << "mine";
    fs::rename(path + ".new", path);
    Report report = report_of({leak});
    clean::clean(report, {});
    EXPECT_TRUE(fs::exists(path));
    EXPECT_EQ(report.cleanup->actions.at(0).result, "gone");
}

TEST(Clean, oneThatWeHaveOpenOurselvesIsInUse) {
    const TemporaryFolder folder;
    const std::string path = folder.path() / "name";
    Report report = report_of({file_leak(path), file_leak(folder.path() / "other")});
    const int fd = ::open(path.c_str(), O_RDONLY);
    clean::clean(report, {});
    ::close(fd);
    EXPECT_EQ(report.leaks.at(0).status, Status::in_use);
    EXPECT_FALSE(report.leaks.at(0).error.empty());
    EXPECT_EQ(report.leaks.at(1).status, Status::cleaned);
    EXPECT_FALSE(clean::is_all_clean(report));
}

TEST(Clean, twiceFindsNothingToDo) {
    const TemporaryFolder folder;
    Report report = report_of({file_leak(folder.path() / "name")});
    clean::clean(report, {});
    clean::clean(report, {});
    EXPECT_EQ(report.cleanup->actions.size(), 1u);
    EXPECT_TRUE(clean::is_all_clean(report));
}

// Two processes clean the same things: each goes once, and neither takes the other for a user.
TEST(Clean, twoAtOnce) {
    const TemporaryFolder folder;
    constexpr int count = 200;
    std::vector<Leak> leaks;
    for (int i = 0; i < count; ++i) leaks.push_back(file_leak(folder.path() / std::to_string(i)));
    struct Counts {
        int done, gone, others;
    };
    auto* counts = static_cast<Counts*>(::mmap(nullptr, 2 * sizeof(Counts), PROT_READ | PROT_WRITE,
                                               MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    pid_t children[2];
    for (int i = 0; i < 2; ++i) {
        children[i] = ::fork();
        if (children[i] != 0) continue;
        Report report = report_of(leaks);
        clean::clean(report, {});
        for (const CleanupAction& action : report.cleanup->actions) {
            ++(action.result == "done"   ? counts[i].done
               : action.result == "gone" ? counts[i].gone
                                         : counts[i].others);
        }
        ::_exit(0);
    }
    for (const pid_t child : children) ::waitpid(child, nullptr, 0);
    EXPECT_EQ(counts[0].done + counts[1].done, count);
    EXPECT_EQ(counts[0].gone + counts[1].gone, count);
    EXPECT_EQ(counts[0].others + counts[1].others, 0);
    EXPECT_TRUE(fs::is_empty(folder.path()));
    ::munmap(counts, 2 * sizeof(Counts));
}

// A cleaner that is killed half-way leaves the rest for the next.
TEST(Clean, killedHalfWay) {
    const TemporaryFolder folder;
    std::vector<Leak> leaks;
    for (int i = 0; i < 50; ++i) leaks.push_back(file_leak(folder.path() / std::to_string(i)));
    const pid_t child = ::fork();
    if (child == 0) {
        Report report = report_of(leaks);
        clean::Options options;
        int lines = 0;
        options.log = [&](const std::string&) {
            if (++lines == 20) ::raise(SIGKILL);
        };
        clean::clean(report, options);
        ::_exit(0);
    }
    ::waitpid(child, nullptr, 0);
    Report report = report_of(leaks);
    clean::clean(report, {});
    EXPECT_TRUE(fs::is_empty(folder.path()));
    EXPECT_TRUE(clean::is_all_clean(report));
    EXPECT_EQ(std::count_if(report.cleanup->actions.begin(), report.cleanup->actions.end(),
                            [](const CleanupAction& action) { return action.result == "done"; }),
              30);
}

TEST(Clean, whatComesUpMeanwhileIsCleanedAndReported) {
    const TemporaryFolder folder;
    const Sleeper first, second;
    const Leak file = file_leak(folder.path() / "late");
    Report report = report_of({first.leak()});
    clean::Options options;
    options.kill_after = 0;
    options.look = [&] { return report_of({second.leak(), file}); };
    clean::clean(report, options);
    EXPECT_FALSE(first.is_alive());
    EXPECT_FALSE(second.is_alive());
    EXPECT_FALSE(fs::exists(folder.path() / "late"));
    EXPECT_EQ(report.leaks.size(), 3u);
    for (const Leak& leak : report.leaks) EXPECT_EQ(leak.status, Status::cleaned) << leak.name;
}

TEST(Clean, helpers) {
    EXPECT_TRUE(clean::is_tidying_helper(
        {"python3", "-E", "-c", "from multiprocessing.resource_tracker import main;main(5)"}));
    EXPECT_TRUE(clean::is_tidying_helper(
        {"python3", "-c", "from multiprocessing.semaphore_tracker import main;main(5)"}));
    EXPECT_TRUE(clean::is_tidying_helper(
        {"python", "-c", "from joblib.externals.loky.backend.resource_tracker import main; main(5, False)"}));
    EXPECT_TRUE(clean::is_tidying_helper({"/x/torch/bin/torch_shm_manager"}));
    EXPECT_FALSE(clean::is_tidying_helper({"python3", "-c", "from multiprocessing.spawn import spawn_main"}));
    EXPECT_FALSE(clean::is_tidying_helper({"python3", "-c"}));
    EXPECT_FALSE(clean::is_tidying_helper({}));
}

TEST(Clean, theLastLine) {
    Report report;
    report.leaks.resize(3);
    report.leaks[0].status = report.leaks[1].status = Status::cleaned;
    report.leaks[2].status = Status::in_use;
    report.cleanup.emplace().duration_seconds = 0.042;
    report.cleanup->reclaimed_bytes = 2048;
    EXPECT_EQ(clean::summary_line(report),
              "cleaned up 2 of 3 things in 0.042 s, 2 KiB of memory freed; 1 in use by others and left alone");
}

}  // namespace
}  // namespace leftover
