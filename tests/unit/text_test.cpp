#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reporter/findings/fingerprint.h"
#include "reporter/model/frames.h"
#include "reporter/render/format.h"
#include "reporter/render/source.h"
#include "reporter/render/words.h"
#include "sample_report.h"

namespace leftover::test {
namespace {

using render::Options;
using testing::HasSubstr;
using testing::Not;

std::string rendered(Report report, const Options& options = {}) {
    findings::fingerprint(report);
    std::ostringstream out;
    render::text(report, options, out);
    return out.str();
}

class Folder {
public:
    Folder() {
        std::string name = testing::TempDir() + "leftover-test-XXXXXX";
        if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
        path = name;
    }
    ~Folder() { std::filesystem::remove_all(path); }
    std::filesystem::path path;
};

TEST(Text, SumsUpInItsFirstLine) {
    const std::string text = rendered(make_report());
    EXPECT_EQ(text.substr(0, text.find('\n')),
              "leftover: python3 train.py (killed by SIGTERM) left 4 things behind: 3 semaphores, "
              "1 process");
}

TEST(Text, IsLikeThis) {
    EXPECT_EQ(rendered(make_report()),
              "leftover: python3 train.py (killed by SIGTERM) left 4 things behind: 3 semaphores, "
              "1 process\n"
              "\n"
              "error: 3 semaphores: /mp-0, /mp-1, /mp-2\n"
              "  created by pid 12, 0.250 s after the start\n"
              "    python3 train.py\n"
              "  call stack, innermost first:\n"
              "    sem_open\n"
              "    __init__ at /usr/lib/python3.11/multiprocessing/synchronize.py:57\n"
              "    main at train.py:14\n"
              "\n"
              "error: 1 process (45 MiB)\n"
              "    pid 13, sleeping, 45 MiB: python3 -c 'from multiprocessing.spawn import spawn_main'\n"
              "  created by pid 12, 0.250 s after the start\n"
              "    python3 train.py\n"
              "  call stack: not recorded\n");
}

TEST(Text, SaysWhenNothingIsLeft) {
    Report report = make_report();
    report.leaks.clear();
    EXPECT_EQ(rendered(report), "leftover: nothing left over\n");
    report.leaks.push_back(make_leak(Kind::file_descriptor, "/tmp/x", 12));
    EXPECT_EQ(rendered(report), "leftover: nothing left over (not shown: 1 note)\n");
    report.leaks.back().severity = Severity::error;
    report.leaks.back().status = Status::suppressed;
    EXPECT_EQ(rendered(report), "leftover: nothing left over (not shown: 1 suppressed)\n");
    EXPECT_EQ(rendered(Report{}), "leftover: nothing left over\n");
}

TEST(Text, ShowsNotesWhenAsked) {
    Report report = make_report();
    report.leaks.push_back(make_leak(Kind::file_descriptor, "/tmp/x", 12));
    report.leaks.back().details.fd = 7;
    EXPECT_THAT(rendered(report), Not(HasSubstr("/tmp/x")));
    EXPECT_THAT(rendered(report), HasSubstr("not shown: 1 note\n"));
    Options options;
    options.notes = true;
    EXPECT_THAT(rendered(report, options), HasSubstr("note: 1 file descriptor: 7 -> /tmp/x\n"));
    report.leaks.erase(report.leaks.begin(), report.leaks.end() - 1);
    EXPECT_THAT(rendered(report, options), HasSubstr("left nothing behind, but ended with one thing open"));
}

TEST(Text, ShortensLongLists) {
    Report report = make_report();
    for (int i = 3; i < 105; ++i) {
        report.leaks.push_back(make_semaphore("/mp-" + std::to_string(i), 12, 100));
        report.leaks.back().stack = 1;
    }
    EXPECT_THAT(rendered(report),
                HasSubstr("error: 105 semaphores: /mp-0, /mp-1, /mp-2, /mp-3, /mp-4 and 100 more\n"));
}

TEST(Text, ListsTheWorstThenTheMostFirst) {
    Report report = make_report();
    for (int i = 0; i < 9; ++i) report.leaks.push_back(make_leak(Kind::thread, "worker", 12));
    const std::string text = rendered(report);
    EXPECT_LT(text.find("error: 3 semaphores"), text.find("error: 1 process"));
    EXPECT_LT(text.find("error: 1 process"), text.find("warning: 9 threads: worker (x9)"));
}

TEST(Text, GroupsByThePlaceNotByAddresses) {
    Report report = make_report();
    Stack elsewhere = report.stacks[0];
    elsewhere.id = 2;
    elsewhere.native[0].address += 0x10000;
    Module moved = report.modules[0];
    moved.id = 9;
    moved.base += 0x10000;
    elsewhere.native[0].module = 9;
    report.modules.push_back(moved);
    report.stacks.push_back(elsewhere);
    report.leaks[1].stack = 2;
    report.leaks[1].pid = 14;
    EXPECT_THAT(rendered(report), HasSubstr("error: 3 semaphores"));
    EXPECT_THAT(rendered(report), HasSubstr("created by 2 processes (pid 12, 14)"));
}

TEST(Text, SaysWhatWasDone) {
    Report report = make_report();
    report.leaks[0].status = Status::cleaned;
    report.leaks[1].status = Status::in_use;
    report.leaks[2].status = Status::failed;
    report.leaks[2].error = "unlink: Permission denied";
    report.leaks[3].status = Status::cleaned;
    report.cleanup.emplace().duration_seconds = 0.3;
    report.cleanup->reclaimed_bytes = 45 << 20;
    const std::string text = rendered(report);
    EXPECT_THAT(text, HasSubstr("\n  2 cleaned up, 1 in use by others and left alone, 1 could not be cleaned "
                                "up (0.300 s, 45 MiB of memory freed)\n"));
    EXPECT_THAT(text, HasSubstr("failed: /mp-2: unlink: Permission denied"));
    EXPECT_THAT(text, HasSubstr("in use: /mp-1"));
    EXPECT_THAT(text, HasSubstr("error: 1 process (45 MiB), cleaned up\n"));
}

TEST(Text, ListsSessions) {
    Report report = make_report();
    report.sessions.push_back(report.sessions[0]);
    report.sessions[1].id = "s2";
    report.sessions[1].exit = {.code = 3, .signal = {}};
    report.leaks[3].session = "s2";
    const std::string text = rendered(report);
    EXPECT_THAT(text, HasSubstr("leftover: 2 sessions left 4 things behind"));
    EXPECT_THAT(text, HasSubstr("  s1: python3 train.py (killed by SIGTERM), 3 left\n"));
    EXPECT_THAT(text, HasSubstr("  s2: python3 train.py (exit status 3), 1 left\n"));
    EXPECT_THAT(text, HasSubstr("after the start, in s2\n"));
}

TEST(Text, TellsWhatIsNotKnown) {
    Report report = make_report();
    report.sessions[0].complete = false;
    report.processes.push_back(make_process_info(20, 12, {"busybox"}));
    report.processes.back().executable = "/bin/busybox";
    report.processes.back().instrumented = false;
    report.processes.back().reason = "static";
    report.leaks[3].pid = 0;
    report.leaks[3].details.more.edit().attribution = "window";
    const std::string text = rendered(report);
    EXPECT_THAT(text, HasSubstr("not instrumented (static)"));
    EXPECT_THAT(text, HasSubstr("busybox"));
    EXPECT_THAT(text, HasSubstr("the record of session s1 is damaged or full"));
    EXPECT_THAT(text, HasSubstr("created by a process that is not known"));
}

// Whatever programs call their things: nothing but printable text and line ends comes out.
TEST(Text, IsSafeOnATerminal) {
    const std::string evil = "\x1b]0;pwned\x07\r\n\u009b31m\u202e\xff\t\x7f";
    Report report = make_report();
    report.sessions[0].command = {evil};
    report.sessions[0].id = evil;
    report.sessions[0].complete = false;
    report.processes[0].command = {evil};
    report.processes.push_back(make_process_info(20, 12, {}));
    report.processes.back().executable = evil;
    report.processes.back().instrumented = false;
    report.processes.back().reason = evil;
    report.modules[1].path = "/opt/" + evil;
    report.stacks[0].native[0].function = evil;
    report.stacks[0].python[0] = {evil, evil, 3};
    for (Leak& leak : report.leaks) {
        leak.name = leak.error = leak.thread_name = evil;
        leak.status = Status::failed;
        leak.details.more.edit().state = evil;
        leak.details.more.edit().holds = {evil};
        leak.details.more.edit().start_routine = evil;
        leak.session = evil;
    }
    report.leaks.push_back(report.leaks[0]);
    report.leaks.back().kind = Kind::thread;
    for (const char c : rendered(report)) {
        EXPECT_TRUE(c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f)) << int{c};
    }
    EXPECT_THAT(rendered(report), Not(HasSubstr("\u009b")));
    EXPECT_THAT(rendered(report), Not(HasSubstr("\u202e")));
    EXPECT_THAT(rendered(report), HasSubstr("\\x1b]0;pwned\\x07\\r\\n\\x9b31m\\u{202e}\ufffd\\t\\x7f"));
}

TEST(Text, HasColoursOnlyWhenAsked) {
    Options options;
    EXPECT_THAT(rendered(make_report(), options), Not(HasSubstr("\x1b")));
    options.colour = true;
    EXPECT_THAT(rendered(make_report(), options), HasSubstr("\x1b[1;31merror\x1b[0m"));
}

TEST(Text, KeepsToItsWidth) {
    Report report = make_report();
    report.leaks[0].name = std::string(300, 'x');
    report.sessions[0].command.emplace_back(500, 'y');
    report.processes[0].command.emplace_back(500, 'y');
    report.leaks[3].details.more.edit().command->emplace_back(500, 'z');
    Options options;
    options.width = 80;
    std::istringstream lines(rendered(report, options));
    std::string line;
    while (std::getline(lines, line)) EXPECT_LE(line.size(), 80u) << line;
}

TEST(Text, ShowsTheSourceWithTheCallMarked) {
    const Folder folder;
    std::ofstream(folder.path / "train.py") << "import os\n\ndef main():\n\tpool = Pool(make(4))  # \x1b[31m\n";
    Report report = make_report();
    report.sessions[0].cwd = folder.path;
    report.stacks[0].python = {{"Pool", "/usr/lib/python3.11/multiprocessing/context.py", 119},
                               {"main", "train.py", 4}};
    report.leaks[0].created_at = 0;
    EXPECT_THAT(rendered(report), HasSubstr("    main at train.py:4\n"
                                            "      > pool = Pool(make(4))  # \\x1b[31m\n"
                                            "               ^^^^\n"));
    // The file was written after the leak was made: its lines say nothing.
    report.leaks[0].created_at = start - 1'000'000'000'000'000'000;
    EXPECT_THAT(rendered(report), Not(HasSubstr("      >")));
}

TEST(Text, LeavesOutWhatIsNotTheUsers) {
    Report report = make_report();
    report.modules.push_back({3, "/opt/app/fast.so", "", 0});
    report.modules.push_back({4, "/lib/x86_64-linux-gnu/libc.so.6", "", 0});
    const auto frame = [](int module, const char* function, const char* file = "", int line = 0) {
        NativeFrame native;
        native.module = module;
        native.function = function;
        native.file = file;
        native.line = line;
        return native;
    };
    report.stacks[0].native = {frame(1, "shm_open"),
                               frame(4, "helper_in_libc"),
                               frame(3, "grow(int)", "fast.cpp", 7),
                               frame(3, "make_pool(int)", "fast.cpp", 20),
                               frame(3, "entry(PyObject*)"),
                               frame(2, "_PyEval_EvalFrameDefault")};
    report.stacks[0].native[2].inlined = true;
    // Python follows: down to the first of the user's own frames, with what is inlined into it.
    EXPECT_THAT(rendered(report), HasSubstr("    shm_open\n"
                                            "    grow(int) at fast.cpp:7 (inlined)\n"
                                            "    make_pool(int) at fast.cpp:20\n"
                                            "    __init__ at"));
    report.stacks[0].python.clear();
    EXPECT_THAT(rendered(report), HasSubstr("    make_pool(int) at fast.cpp:20\n"
                                            "    entry(PyObject*) in fast.so\n"
                                            "\n"));
}

TEST(Frames, HaveOwners) {
    EXPECT_EQ(owner_of("/usr/lib/leftover/libleftover.so"), Owner::shim);
    EXPECT_EQ(owner_of("/lib/x86_64-linux-gnu/libc.so.6"), Owner::runtime);
    EXPECT_EQ(owner_of("/lib/x86_64-linux-gnu/libc-2.31.so"), Owner::runtime);
    EXPECT_EQ(owner_of("/lib64/ld-linux-x86-64.so.2"), Owner::runtime);
    EXPECT_EQ(owner_of("/usr/lib/x86_64-linux-gnu/libstdc++.so.6.0.30"), Owner::runtime);
    EXPECT_EQ(owner_of("/usr/lib/x86_64-linux-gnu/libcurl.so.4"), Owner::system);
    EXPECT_EQ(owner_of("/usr/bin/python3.11"), Owner::interpreter);
    EXPECT_EQ(owner_of("/opt/py/lib/libpython3.13t.so.1.0"), Owner::interpreter);
    EXPECT_EQ(owner_of("/usr/lib/python3.11/lib-dynload/_posixshmem.cpython-311.so"), Owner::interpreter);
    EXPECT_EQ(owner_of("/usr/bin/python-tool"), Owner::user);
    EXPECT_EQ(owner_of("/usr/local/lib/libmine.so"), Owner::user);
    EXPECT_EQ(owner_of("/home/user/a.out"), Owner::user);
    EXPECT_TRUE(is_library_file("/usr/lib/python3.11/threading.py"));
    EXPECT_TRUE(is_library_file("<frozen runpy>"));
    EXPECT_TRUE(is_library_file("/venv/lib/python3.12/site-packages/torch/x.py"));
    EXPECT_FALSE(is_library_file("/home/user/lib/pythonic/train.py"));
    EXPECT_FALSE(is_library_file("<string>"));
}

TEST(Words, AreForPeople) {
    EXPECT_EQ(render::size_words(1), "1 byte");
    EXPECT_EQ(render::size_words(1023), "1023 bytes");
    EXPECT_EQ(render::size_words(1536), "1.5 KiB");
    EXPECT_EQ(render::size_words(1 << 20), "1 MiB");
    EXPECT_EQ(render::size_words(~0ULL), "16777216 TiB");
    EXPECT_EQ(render::seconds_words(0.0421), "0.042 s");
    EXPECT_EQ(render::seconds_words(12.34), "12.3 s");
    EXPECT_EQ(render::seconds_words(200), "3 min 20 s");
    EXPECT_EQ(render::seconds_words(7500), "2 h 5 min");
    EXPECT_EQ(render::kind_words(Kind::process, 1), "1 process");
    EXPECT_EQ(render::kind_words(Kind::temporary_directory, 2), "2 temporary directories");
    EXPECT_EQ(render::command_words({"sh", "-c", "echo 'hi'", ""}, 0), "sh -c 'echo '\\''hi'\\''' ''");
    EXPECT_EQ(render::command_words({"sleep", "1000"}, 8), "sleep...");
    EXPECT_EQ(render::shorten("\u00e4\u00e4\u00e4\u00e4\u00e4", 4), "\u00e4...");
}

TEST(Source, MarksTheCall) {
    const auto mark = [](const char* line, const char* function) {
        const auto found = render::find_call(line, function);
        return found ? std::string(line).substr(found->column, found->length) : "";
    };
    EXPECT_EQ(mark("x = ctx.Pool(make())", "Pool"), "Pool");
    EXPECT_EQ(mark("p.grow(remake(make (1)));", "app::make(int)"), "make");
    EXPECT_EQ(mark("if (auto p = std::make_unique<T>(1))", "std::make_unique<T>(int)"), "make_unique");
    EXPECT_EQ(mark("self.queue = Queue()", "__init__"), "Queue");
    EXPECT_EQ(mark("return f(g())", "h"), "");
    EXPECT_EQ(mark("", "h"), "");
}

TEST(Format, IsFoundByPrefixOptionAndEnding) {
    using render::parse_output;
    EXPECT_EQ(parse_output("json:x.txt", "").format->name, "json");
    EXPECT_EQ(parse_output("json:x.txt", "").file, "x.txt");
    EXPECT_EQ(parse_output("x.txt", "json").format->name, "json");
    EXPECT_EQ(parse_output("a.b/x.json", "").format->name, "json");
    EXPECT_EQ(parse_output("a:b.json", "").file, "a:b.json");
    EXPECT_EQ(parse_output("report", "").format->name, "text");
    EXPECT_EQ(parse_output("-", "").format->name, "text");
    EXPECT_THROW(parse_output("x.dat", ""), std::runtime_error);
    EXPECT_THROW(parse_output("json:", ""), std::runtime_error);
    EXPECT_THROW(parse_output("", ""), std::runtime_error);
    EXPECT_THROW(parse_output("x", "jsn"), std::runtime_error);
}

TEST(Output, ReplacesAFileAsAWhole) {
    const Folder folder;
    const auto file = folder.path / "r.json";
    std::ofstream(file) << "earlier";
    std::filesystem::permissions(file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    std::filesystem::create_symlink("r.json", folder.path / "link.json");
    render::write(make_report(), {}, render::parse_output((folder.path / "link.json").string(), ""));
    EXPECT_TRUE(std::filesystem::is_symlink(folder.path / "link.json"));
    EXPECT_GT(std::filesystem::file_size(file), 1000u);
    EXPECT_EQ(static_cast<unsigned>(std::filesystem::status(file).permissions()), 0600u);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path), {}), 2);
}

TEST(Output, SaysWhyItCannotWrite) {
    const auto trouble = [](const std::string& file) -> std::string {
        try {
            render::write(make_report(), {}, render::parse_output(file, "json"));
        } catch (const std::runtime_error& error) {
            return error.what();
        }
        return "";
    };
    EXPECT_EQ(trouble("/no/such/folder/x.json"),
              "cannot write /no/such/folder/x.json: No such file or directory");
    EXPECT_EQ(trouble("/"), "cannot write /: Is a directory");
    EXPECT_EQ(trouble("/dev/full"), "cannot write /dev/full: No space left on device");
    EXPECT_EQ(trouble("/dev/null"), "");
}

}  // namespace
}  // namespace leftover::test
