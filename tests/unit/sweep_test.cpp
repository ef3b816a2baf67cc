// Which processes sweep takes for helpers that lost their program.
#include <gtest/gtest.h>

#include "reporter/sweep/families.h"
#include "reporter/python/command.h"

namespace leftover::sweep {
namespace {

python::Role role(std::vector<std::string> command) { return python::role_of(command); }

TEST(PythonRole, knowsTheHelpersByTheirCommandLines) {
    EXPECT_EQ(role({"/usr/bin/python3", "-c",
                    "from multiprocessing.spawn import spawn_main; "
                    "spawn_main(tracker_fd=5, pipe_handle=7)",
                    "--multiprocessing-fork"}),
              python::Role::worker);
    EXPECT_EQ(role({"python3.8", "-E", "-W", "ignore", "-X", "dev", "-c",
                    "from multiprocessing.resource_tracker import main;main(4)"}),
              python::Role::tracker);
    EXPECT_EQ(role({"python3.6", "-s", "-c",
                    "from multiprocessing.semaphore_tracker import main;main(4)"}),
              python::Role::tracker);
    EXPECT_EQ(role({"python3", "-c",
                    "from multiprocessing.forkserver import main; main(5, 6, ['__main__'])"}),
              python::Role::fork_server);
    EXPECT_EQ(role({"python3", "-m", "joblib.externals.loky.backend.popen_loky_posix",
                    "--process-name", "LokyProcess-1", "--pipe", "17"}),
              python::Role::worker);
    EXPECT_EQ(role({"python3", "-c",
                    "from joblib.externals.loky.backend.resource_tracker import main; main(9, False)"}),
              python::Role::tracker);
    EXPECT_EQ(role({"/opt/app/frozen", "--multiprocessing-fork", "tracker_fd=5", "pipe_handle=7"}),
              python::Role::worker);
}

TEST(PythonRole, leavesEverybodyElseAlone) {
    EXPECT_EQ(role({}), python::Role::none);
    EXPECT_EQ(role({"python3", "train.py"}), python::Role::none);
    EXPECT_EQ(role({"python3", "train.py", "-c",
                    "from multiprocessing.resource_tracker import main;main(4)"}),
              python::Role::none);
    EXPECT_EQ(role({"python3", "-c", "import multiprocessing.spawn"}), python::Role::none);
    EXPECT_EQ(role({"python3", "-m", "my.loky.backend"}), python::Role::none);
    EXPECT_EQ(role({"grep", "-c"}), python::Role::none);
    EXPECT_EQ(role({"git", "--multiprocessing-fork"}), python::Role::none);
}

// Descriptors: pid -> pipes above 2.
std::map<int, Pipes> holding(const std::map<int, std::set<std::uint64_t>>& others) {
    std::map<int, Pipes> pipes;
    for (const auto& [pid, inodes] : others) pipes[pid] = {{1}, inodes};  // all print into pipe 1
    return pipes;
}

const std::vector<Candidate> worker_and_tracker = {{10, python::Role::worker},
                                                   {11, python::Role::tracker}};

TEST(Families, whoSharesAPipeWithALivingProgramIsNoOrphan) {
    const auto pipes = holding({{5, {100, 200}}, {10, {100, 200}}, {11, {200}}});
    EXPECT_TRUE(without_program(worker_and_tracker, pipes, {}).empty());
}

TEST(Families, onlyStandardStreamsAreNoTie) {
    const auto pipes = holding({{5, {}}, {10, {100, 200}}, {11, {200}}});
    EXPECT_EQ(without_program(worker_and_tracker, pipes, {}), (std::set<int>{10, 11}));
}

TEST(Families, whatADeadSessionLeftKeepsNobodyAlive) {
    const auto pipes = holding({{5, {100, 200}}, {10, {100, 200}}, {11, {200}}});
    EXPECT_EQ(without_program(worker_and_tracker, pipes, {5}), (std::set<int>{10, 11}));
}

TEST(Families, aTrackersPipeIsTheWholeFamilys) {
    // 12 was started by a worker that is gone; the program, 5, lives on.
    const std::vector<Candidate> candidates = {
        {10, python::Role::worker}, {11, python::Role::tracker}, {12, python::Role::worker}};
    const auto pipes =
        holding({{5, {100, 200}}, {10, {100, 200}}, {11, {200}}, {12, {200, 300}}});
    EXPECT_EQ(without_program(candidates, pipes, {}), (std::set<int>{12}));
}

TEST(Families, aWorkerIsAProgramToItsOwnWorkers) {
    const std::vector<Candidate> candidates = {{12, python::Role::worker}, {10, python::Role::worker}};
    const auto pipes = holding({{5, {100}}, {10, {100, 300}}, {12, {300}}});
    EXPECT_TRUE(without_program(candidates, pipes, {}).empty());
}

TEST(Families, whoMayNotBeLookedIntoIsNotCalledAnOrphan) {
    EXPECT_EQ(without_program(worker_and_tracker, holding({{11, {200}}}), {}), (std::set<int>{11}));
}

}  // namespace
}  // namespace leftover::sweep
