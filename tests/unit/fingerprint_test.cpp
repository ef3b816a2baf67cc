// What must change a fingerprint, and what must not.
#include "reporter/findings/fingerprint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reporter/findings/findings.h"
#include "reporter/findings/name_pattern.h"
#include "sample_report.h"

namespace leftover::test {
namespace {

using findings::name_pattern;
using findings::Randomness;

NativeFrame native(int module, const std::string& function, const std::string& file = "", int line = 0) {
    NativeFrame frame;
    frame.module = module;
    frame.function = function;
    frame.file = file;
    frame.line = line;
    frame.offset = 0x1000;
    return frame;
}

// A native program's leak: open_channel, called by Worker::start, called by main.
Report native_report() {
    Report report;
    report.sessions.push_back({});
    report.modules = {{1, "/usr/lib/leftover/libleftover.so", "0a", 0x7f00},
                      {2, "/home/user/build/app", "0b", 0x5500},
                      {3, "/lib/x86_64-linux-gnu/libc.so.6", "0c", 0x7e00}};
    Stack stack;
    stack.id = 1;
    stack.native = {native(1, "sem_open"), native(2, "open_channel(char const*)", "/home/user/app/ch.cpp", 7),
                    native(2, "void std::__invoke_impl<void>(int)"),
                    native(2, "app::Worker::start() const", "/home/user/app/w.cpp", 70),
                    native(2, "main", "/home/user/app/main.cpp", 12), native(3, "__libc_start_main"),
                    native(2, "_start")};
    report.stacks.push_back(stack);
    report.leaks.push_back(make_semaphore("/app.channel", 12, 70));
    report.leaks[0].stack = 1;
    return report;
}

std::string print(Report report) {
    findings::fingerprint(report);
    return report.leaks.at(0).fingerprint;
}

TEST(Fingerprint, IsVersionAndSixteenDigits) {
    EXPECT_THAT(print(make_report()), testing::MatchesRegex("v1:[0-9a-f]{16}"));
}

// Whoever changes one of these breaks every baseline there is: make it v2 then.
TEST(Fingerprint, IsThisForEver) {
    EXPECT_EQ(print(make_report()), "v1:34b8b544c96121c9");
    EXPECT_EQ(print(native_report()), "v1:3faa62e35974ef88");
}

TEST(Fingerprint, StaysAsItIsOnceGiven) {
    Report report = make_report();
    report.leaks[0].fingerprint = "v1:00000000000000ff";
    EXPECT_EQ(print(report), "v1:00000000000000ff");
}

TEST(Fingerprint, KnowsNoProcessTimeOrAddress) {
    Report report = make_report();
    const std::string before = print(report);
    Leak& leak = report.leaks[0];
    leak.pid = leak.tid = 4711;
    leak.thread_name = "other";
    leak.created_at += 1'000'000'000;
    leak.details.inode = 4711;
    leak.session = "s2";
    report.stacks[0].id = leak.stack.emplace(77);
    for (Module& module : report.modules) module.base += 0x10000;
    for (NativeFrame& frame : report.stacks[0].native) {
        frame.address += 0x10000;
        frame.offset += 0x40;
    }
    EXPECT_EQ(print(report), before);
}

TEST(Fingerprint, KnowsNoLinesFoldersAndBuildPaths) {
    Report report = make_report();
    const std::string before = print(report);
    report.stacks[0].python[2] = {"main", "/srv/ci/build-99/train.py", 44};
    EXPECT_EQ(print(report), before);

    Report compiled = native_report();
    const std::string was = print(compiled);
    compiled.modules[1] = {2, "/srv/ci/build-99/app", "ff", 0x6600};
    for (NativeFrame& frame : compiled.stacks[0].native) {
        frame.line += 3;
        if (!frame.file.empty()) frame.file = "/srv/ci" + frame.file.substr(10);
    }
    EXPECT_EQ(print(compiled), was);
}

TEST(Fingerprint, KnowsNoRandomNames) {
    Report report = make_report();
    const std::string before = print(report);
    for (const char* name : {"/mp-adkvifdv", "/mp-_3dvav16", "/mp-wlarjqxz"}) {
        report.leaks[0].name = name;
        EXPECT_EQ(print(report), before) << name;
    }
}

// Another minor version: other paths, other functions in the standard library, other calls of libc's.
TEST(Fingerprint, KnowsNoInternalsOfTheInterpreter) {
    Report report = make_report();
    const std::string before = print(report);
    report.modules[1].path = "/opt/python/bin/python3.13";
    report.stacks[0].python = {{"_make_name", "/opt/python/lib/python3.13/multiprocessing/synchronize.py", 115},
                               {"__new__", "/opt/python/lib/python3.13/multiprocessing/synchronize.py", 9},
                               {"_call_with_frames_removed", "<frozen importlib._bootstrap>", 488},
                               {"main", "train.py", 14}};
    report.stacks[0].native[0].function = "sem_open@@GLIBC_2.34";
    report.stacks[0].native.push_back(native(2, "_PyEval_EvalFrameDefault"));
    EXPECT_EQ(print(report), before);
}

TEST(Fingerprint, FoldsComprehensionsIntoTheirCaller) {
    Report report = make_report();
    const std::string before = print(report);
    report.stacks[0].python.insert(report.stacks[0].python.begin() + 2, {"<listcomp>", "train.py", 14});
    EXPECT_EQ(print(report), before);
    const Report& folded = report;
    findings::fingerprint(report);
    const auto found = findings::find(folded, {});
    EXPECT_EQ(found.at(0).location.function, "main");
}

TEST(Fingerprint, CountsRecursionOnce) {
    Report report = make_report();
    const std::string before = print(report);
    report.stacks[0].python.insert(report.stacks[0].python.begin() + 2, {"main", "train.py", 20});
    EXPECT_EQ(print(report), before);
}

TEST(Fingerprint, KnowsNoCompilersWording) {
    Report report = native_report();
    const std::string before = print(report);
    report.stacks[0].native[1].function = "open_channel";  // DWARF without a linkage name
    report.stacks[0].native[3].function = "app::Worker::start()";
    EXPECT_EQ(print(report), before);
}

TEST(Fingerprint, TakesAModulesFileNameWhereThereIsNoFunction) {
    Report report = native_report();
    const std::string before = print(report);
    report.stacks[0].native[1].function.clear();
    const std::string stripped = print(report);
    EXPECT_NE(stripped, before);
    report.modules[1].path = "/elsewhere/app";
    report.stacks[0].native[1].offset = 0x9999;
    EXPECT_EQ(print(report), stripped);
    report.modules[1].path = "/elsewhere/other";
    EXPECT_NE(print(report), stripped);
}

TEST(Fingerprint, ChangesWithWhatMatters) {
    const Report report = make_report();
    const std::string before = print(report);
    Report other = report;
    other.leaks[0].kind = Kind::shared_memory;
    EXPECT_NE(print(other), before) << "kind";
    other = report;
    other.leaks[0].name = "/cache";
    EXPECT_NE(print(other), before) << "name";
    other = report;
    other.stacks[0].python[2].function = "make_locks";
    EXPECT_NE(print(other), before) << "function";
    other = report;
    other.stacks[0].python[2].file = "serve.py";
    EXPECT_NE(print(other), before) << "file";
    other = report;
    other.stacks[0].python.push_back({"<module>", "train.py", 30});
    EXPECT_NE(print(other), before) << "caller";
    Report compiled = native_report();
    const std::string was = print(compiled);
    compiled.stacks[0].native[3].function = "app::Pool::start()";
    EXPECT_NE(print(compiled), was) << "native caller";
}

TEST(Fingerprint, TellsTheTrackerFromTheWorkers) {
    Report report;
    report.leaks = {make_process(13, 12), make_process(14, 12)};
    report.leaks[1].details.more.edit().command = {"python3", "-c",
                                       "from multiprocessing.resource_tracker import main;main(4)"};
    findings::fingerprint(report);
    EXPECT_NE(report.leaks[0].fingerprint, report.leaks[1].fingerprint);
}

TEST(NamePattern, IsAGlob) {
    const auto of = [](Kind kind, const char* name, Randomness randomness = Randomness::unknown) {
        return name_pattern(kind, name, randomness);
    };
    EXPECT_EQ(of(Kind::semaphore, "/mp-ab12cd34"), "/mp-*");
    EXPECT_EQ(of(Kind::semaphore, "/mp-abcdefgh"), "/mp-*");
    EXPECT_EQ(of(Kind::semaphore, "/jobs"), "/jobs");
    EXPECT_EQ(of(Kind::semaphore, "/jobs-4711"), "/jobs-*");
    EXPECT_EQ(of(Kind::semaphore, "/loky-4711-abc9def_"), "/loky-*");
    EXPECT_EQ(of(Kind::semaphore, "/worker12"), "/worker*");
    EXPECT_EQ(of(Kind::semaphore, "/550e8400-e29b-41d4-a716-446655440000.lock"), "/*.lock");
    EXPECT_EQ(of(Kind::semaphore, "/a[1]?"), "/a*]*");
    EXPECT_EQ(of(Kind::shared_memory, "/psm_1a2b3c4d"), "/psm_*");
    EXPECT_EQ(of(Kind::sysv_semaphore, "id:32770"), "id:*");
    EXPECT_EQ(of(Kind::timer, "timer:3"), "timer:*");
    EXPECT_EQ(of(Kind::process, "python3.11"), "python*");
    EXPECT_EQ(of(Kind::process, "python3"), "python*");
    EXPECT_EQ(of(Kind::process, "sleep"), "sleep");
    EXPECT_EQ(of(Kind::thread, "Thread-1 (worke"), "Thread-*");
    EXPECT_EQ(of(Kind::thread, "Thread-12 (work"), "Thread-*");
    EXPECT_EQ(of(Kind::thread, "pool-3"), "pool-*");
    EXPECT_EQ(of(Kind::file_descriptor, "pipe:[4711]"), "pipe:*]");
    EXPECT_EQ(of(Kind::socket_file, "/tmp/pymp-abcdefgh/listener-hgfedcba"), "*/listener-*");
    EXPECT_EQ(of(Kind::socket_file, "/run/user/1000/app.sock"), "*/app.sock");
    EXPECT_EQ(of(Kind::temporary_file, "/tmp/tmpabcdefgh.txt", Randomness::eight), "*/tmp*.txt");
    EXPECT_EQ(of(Kind::temporary_file, "/tmp/tmp_bcdefg_", Randomness::eight), "*/tmp*");
    EXPECT_EQ(of(Kind::temporary_file, "/tmp/build-AbCdEf", Randomness::six), "*/build-*");
    EXPECT_EQ(of(Kind::temporary_file, "/tmp/build-abcdef.o", Randomness::six), "*/build-*.o");
    EXPECT_EQ(of(Kind::temporary_directory, "/tmp/myappQwErTy", Randomness::six), "*/myapp*");
    EXPECT_EQ(of(Kind::semaphore, ""), "");
}

TEST(Findings, AreOneForAPlaceInHoweverManySessions) {
    Report report = make_report();
    report.sessions.push_back(report.sessions[0]);
    report.sessions[1].id = "s2";
    report.leaks[1].session = "s2";
    report.stacks.push_back(report.stacks[0]);
    report.stacks[1].id = 2;
    report.stacks[1].python[2].line = 99;
    report.leaks[1].stack = 2;
    findings::fingerprint(report);
    const auto found = findings::find(report, {});
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].leaks.size(), 3u);
    EXPECT_EQ(found[0].sessions, 2u);
    EXPECT_EQ(found[0].pattern, "/mp-*");
    EXPECT_EQ(findings::words_of(found[0].location), "main at train.py:14");
    EXPECT_EQ(found[1].kind, Kind::process);
    EXPECT_EQ(findings::words_of(found[1].location), "-");
}

TEST(Findings, LieInTheUsersOwnCode) {
    Report report = native_report();
    findings::fingerprint(report);
    auto found = findings::find(report, {});
    EXPECT_EQ(findings::words_of(found.at(0).location), "open_channel(char const*) at /home/user/app/ch.cpp:7");
    EXPECT_EQ(findings::portable_file(found.at(0).location, "/home/user"), "app/ch.cpp");
    EXPECT_EQ(findings::portable_file(found.at(0).location, "/home/us"), "ch.cpp");
    // Without any of the user's, the library's.
    report.stacks[0].native = {native(1, "sem_open"), native(3, "helper")};
    report.modules.push_back({4, "/usr/lib/x86_64-linux-gnu/libcurl.so.4", "", 0});
    report.stacks[0].native.push_back(native(4, "curl_easy_perform"));
    found = findings::find(report, {});
    EXPECT_EQ(findings::words_of(found.at(0).location),
              "curl_easy_perform in /usr/lib/x86_64-linux-gnu/libcurl.so.4");
}

}  // namespace
}  // namespace leftover::test
