// The symbolizer on programs compiled here and now: every compiler and linker has its own habits.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reporter/symbols/cache.h"
#include "reporter/symbols/demangle.h"
#include "reporter/symbols/symbols.h"
#include "tests/support/temporary_folder.h"

namespace leftover::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Prints the return addresses of a call through inlined functions, and the address of `work`, all
// less the load address.
constexpr const char* program = R"(#include <execinfo.h>
#include <link.h>
#include <cstdio>
namespace app {
struct Pool {
    explicit Pool(int n) { grow(n); }
    __attribute__((always_inline)) void grow(int n) {
        for (int i = 0; i < n; ++i) {
            count = take();
        }
    }
    __attribute__((noinline)) int take() {
        int taken = backtrace(frames, 16);
        asm volatile("");  // no tail call
        return taken;
    }
    void* frames[16];
    int count = 0;
};
namespace {
__attribute__((noinline)) int make(Pool** out) {
    static Pool pool(1);
    *out = &pool;
    return pool.count;
}
}
}
extern "C" void* work(void*) { return nullptr; }
static int base(dl_phdr_info* info, size_t, void* to) {
    *static_cast<unsigned long*>(to) = info->dlpi_addr;
    return 1;
}
int main() {
    app::Pool* pool;
    int count = app::make(&pool);
    unsigned long at = 0;
    dl_iterate_phdr(base, &at);
    for (int i = 0; i < count; ++i) printf("%lx ", (unsigned long)pool->frames[i] - at);
    printf("%lx\n", (unsigned long)&work - at);
}
)";
constexpr int grow_line = 9, constructor_line = 6, make_line = 22, main_line = 35;

bool runs(const std::string& command) {
    return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

class Symbols : public testing::Test {
protected:
    void SetUp() override {
        if (!runs("c++ --version") || !runs("objcopy --version")) GTEST_SKIP() << "no compiler";
        std::string name = testing::TempDir() + "leftover-symbols-XXXXXX";
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        folder = name;
        std::ofstream(folder / "prog.cpp") << program;
    }
    void TearDown() override {
        if (!folder.empty()) std::filesystem::remove_all(folder);
    }

    // Compiles to `prog`; false if this compiler cannot.
    bool compile(const std::string& options, const std::string& compiler = "c++") const {
        return in_folder(compiler + " " + options + " prog.cpp -o prog");
    }
    bool in_folder(const std::string& command) const {
        return runs("cd " + folder.string() + " && { " + command + "; }");
    }

    // The stack that the program printed, with names; its last number is the start of a thread.
    Report symbolized(const std::string& build_id = "") const {
        Report report;
        report.modules.push_back({1, (folder / "prog").string(), build_id, base});
        Stack& stack = report.stacks.emplace_back();
        stack.id = 1;
        std::istringstream numbers(output());
        numbers >> std::hex;
        for (std::uint64_t offset = 0; numbers >> offset;) {
            NativeFrame frame;
            frame.module = 1;
            frame.offset = offset;
            frame.address = base + offset;
            stack.native.push_back(frame);
        }
        Leak& thread = report.leaks.emplace_back();
        thread.kind = Kind::thread;
        thread.stack = 1;
        thread.details.more.edit().start_frame = stack.native.back();
        stack.native.pop_back();
        symbolize(report);
        return report;
    }

    std::string output() const {
        std::string text;
        const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen((folder / "prog").c_str(), "r"), pclose);
        for (int c = 0; (c = std::getc(pipe.get())) != EOF;) text += static_cast<char>(c);
        return text;
    }

    // Frames of the program itself up to main: "function:line", "~" before inlined ones.
    static std::vector<std::string> shown(const Report& report) {
        std::vector<std::string> all;
        for (const NativeFrame& frame : report.stacks.at(0).native) {
            if (frame.function.empty()) continue;
            std::string& line = all.emplace_back(frame.inlined ? "~" : "");
            line += frame.function;
            if (frame.line > 0) line.append(":").append(std::to_string(frame.line));
            if (frame.function == "main") break;
        }
        return all;
    }

    static void expect_everything(const Report& report) {
        EXPECT_THAT(shown(report),
                    ElementsAre("app::Pool::take():13",
                                "~app::Pool::grow(int):" + std::to_string(grow_line),
                                "~app::Pool::Pool(int):" + std::to_string(constructor_line),
                                HasSubstr("make(app::Pool**):" + std::to_string(make_line)),
                                "main:" + std::to_string(main_line)));
        const NativeFrame& grow = report.stacks[0].native.at(1);
        EXPECT_THAT(grow.file, testing::EndsWith("/prog.cpp"));
        EXPECT_EQ(grow.offset, report.stacks[0].native.at(3).offset);
        EXPECT_EQ(report.leaks[0].details.more->start_routine, "work");
        EXPECT_THAT(report.remarks, IsEmpty());
    }

    static constexpr std::uint64_t base = 0x7f0000000000;
    std::filesystem::path folder;
};

TEST_F(Symbols, OfDwarf5AndInlinedCalls) {
    ASSERT_TRUE(compile("-g -O2"));
    expect_everything(symbolized());
}

TEST_F(Symbols, OfDwarf4AtAFixedAddress) {
    ASSERT_TRUE(compile("-gdwarf-4 -O2 -no-pie"));
    expect_everything(symbolized());
}

TEST_F(Symbols, OfClangWhichWritesNoAddressRanges) {
    if (!compile("-g -O2", "clang++")) GTEST_SKIP() << "no clang";
    expect_everything(symbolized());
}

TEST_F(Symbols, OfSplitDwarf) {
    ASSERT_TRUE(compile("-g -O2 -gsplit-dwarf"));
    expect_everything(symbolized());
}

TEST_F(Symbols, OfASeparateFile) {
    ASSERT_TRUE(compile("-g -O2 -Wl,--build-id"));
    ASSERT_TRUE(in_folder("objcopy --only-keep-debug prog prog.debug && strip prog && "
                          "objcopy --add-gnu-debuglink=prog.debug prog"));
    expect_everything(symbolized());
}

TEST_F(Symbols, OfTheSymbolTable) {
    ASSERT_TRUE(compile("-O2"));
    const Report report = symbolized();
    EXPECT_THAT(shown(report), ElementsAre("app::Pool::take()", HasSubstr("make(app::Pool**)"), "main"));
    EXPECT_EQ(report.leaks[0].details.more->start_routine, "work");
}

TEST_F(Symbols, OfDynamicSymbolsOnly) {
    ASSERT_TRUE(compile("-O2 -rdynamic") && in_folder("strip prog"));
    const Report report = symbolized();
    // What is not exported has no name, and not that of a neighbour.
    EXPECT_THAT(shown(report), ElementsAre("app::Pool::take()", "main"));
    EXPECT_EQ(report.leaks[0].details.more->start_routine, "work");
}

TEST_F(Symbols, OfNothing) {
    ASSERT_TRUE(compile("-O2") && in_folder("strip prog"));
    const Report report = symbolized();
    EXPECT_THAT(shown(report), IsEmpty());
    EXPECT_THAT(report.leaks[0].details.more->start_routine.value(), testing::StartsWith("0x7f"));
    EXPECT_THAT(report.remarks, IsEmpty());
}

TEST_F(Symbols, AreNotTakenFromAnotherBuild) {
    ASSERT_TRUE(compile("-g -O2 -Wl,--build-id"));
    const Report report = symbolized("0123456789abcdef");
    EXPECT_THAT(shown(report), IsEmpty());
    ASSERT_EQ(report.remarks.size(), 1u);
    EXPECT_THAT(report.remarks[0], HasSubstr("/prog: not the file that ran"));
}

TEST_F(Symbols, StayWhenAskedForTwice) {
    ASSERT_TRUE(compile("-g -O2"));
    Report report = symbolized();
    const auto before = shown(report);
    symbolize(report);
    EXPECT_EQ(shown(report), before);
    expect_everything(report);
}

TEST_F(Symbols, NameAStartRoutineThatCameThroughJson) {
    ASSERT_TRUE(compile("-O2"));
    Report report = symbolized();
    const std::uint64_t work = report.leaks[0].details.more->start_frame->address;
    const auto named = [&](std::uint64_t address) {
        std::ostringstream hex;
        hex << "0x" << std::hex << address;
        report.leaks[0].details.more.edit().start_frame.reset();
        report.leaks[0].details.more.edit().start_routine = hex.str();
        symbolize(report);
        return *report.leaks[0].details.more->start_routine;
    };
    EXPECT_EQ(named(work), "work");
    EXPECT_THAT(named(work + 1), testing::StartsWith("0x"));
}

TEST_F(Symbols, SurviveDamagedFiles) {
    ASSERT_TRUE(compile("-g -O2"));
    Report good = symbolized();
    const auto file = folder / "prog";
    const auto size = std::filesystem::file_size(file);
    for (int part = 0; part < 8; ++part) {
        Report report = good;
        for (NativeFrame& frame : report.stacks[0].native) frame.function.clear();
        std::filesystem::resize_file(file, size * static_cast<unsigned>(8 - part) / 9);
        symbolize(report);
    }
    std::ofstream(file, std::ios::trunc) << "no program at all";
    Report report = good;
    for (NativeFrame& frame : report.stacks[0].native) frame.function.clear();
    symbolize(report);
    EXPECT_THAT(shown(report), IsEmpty());
}

// Another machine: the program lies below a sysroot, or somewhere with its build id, or only stripped
// with its debug information apart; never at the path that the report names.
TEST_F(Symbols, AreFoundElsewhere) {
    ASSERT_TRUE(compile("-g -O1 -Wl,--build-id"));
    ASSERT_TRUE(in_folder("readelf -n prog | sed -n 's/.*Build ID: //p' | tr -d '\\n' > id"));
    std::string id;
    std::ifstream(folder / "id") >> id;
    ASSERT_GE(id.size(), 8u);
    const Report good = symbolized(id);
    const auto expected = shown(good);
    const auto again = [&good](const SymbolOptions& options) {
        Report report = good;
        for (Stack& stack : report.stacks) {
            std::erase_if(stack.native, [](const NativeFrame& frame) { return frame.inlined; });
            for (NativeFrame& frame : stack.native) {
                frame.function.clear();
                frame.file.clear();
                frame.line = 0;
            }
        }
        symbolize(report, options);
        return report;
    };
    const std::string root = (folder / "root").string();
    const std::string debug = (folder / "debug").string();
    ASSERT_TRUE(in_folder("mkdir -p root$PWD debug/.build-id/" + id.substr(0, 2) + " && mv prog root$PWD/prog"));
    EXPECT_THAT(shown(again({})), IsEmpty());
    EXPECT_EQ(shown(again({root, {}, {}})), expected);
    EXPECT_EQ(shown(again({{}, {root}, {}})), expected);

    ASSERT_TRUE(in_folder("objcopy --only-keep-debug root$PWD/prog debug/.build-id/" + id.substr(0, 2) + "/" +
                          id.substr(2) + ".debug && strip root$PWD/prog"));
    EXPECT_EQ(shown(again({root, {debug}, {}})), expected);
    EXPECT_EQ(shown(again({{}, {debug}, {}})), expected);

    // Another program of that name is not taken for it.
    ASSERT_TRUE(compile("-g -O0 -DOTHER -Wl,--build-id"));
    ASSERT_TRUE(in_folder("mkdir other && mv prog other/prog"));
    const Report wrong = again({{}, {(folder / "other").string()}, {}});
    EXPECT_THAT(shown(wrong), IsEmpty());
    ASSERT_EQ(wrong.remarks.size(), 1u);
    EXPECT_THAT(wrong.remarks[0], HasSubstr("not the file that ran"));
}

TEST(SymbolCache, KeepsPlacesByBuildId) {
    const TemporaryFolder folder;
    const std::string cache = (folder.path() / "a/b").string();
    const std::string id = "0123456789abcdef";
    EXPECT_TRUE(symbols::read_cache(cache, id).empty());
    symbols::PlaceMap places;
    places[0x1234] = {{"inner(int, char)", "/src/a b.cpp", 7}, {"outer", "/src/b.cpp", 9}};
    places[0x99] = {{"", "/src/c.cpp", 1}};
    symbols::write_cache(cache, id, places);
    const auto again = symbols::read_cache(cache, id);
    ASSERT_EQ(again.size(), 2u);
    ASSERT_EQ(again.at(0x1234).size(), 2u);
    EXPECT_EQ(again.at(0x1234)[0].function, "inner(int, char)");
    EXPECT_EQ(again.at(0x1234)[1].line, 9);
    EXPECT_EQ(again.at(0x99)[0].file, "/src/c.cpp");
    // Nothing is made of damage, and no file is named by what is no build id.
    std::ofstream(cache + "/" + id) << "leftover.symbols/1\n12\tx\n\xff\n";
    EXPECT_TRUE(symbols::read_cache(cache, id).empty());
    symbols::write_cache(cache, "../../escape", places);
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "escape"));
    symbols::write_cache("/proc/nowhere", id, places);
    symbols::write_cache("", id, places);
}

TEST(Demangle, KnowsRust) {
    using symbols::demangle;
    EXPECT_EQ(demangle("_RNvNtCs1234_7mycrate3foo3bar"), "mycrate::foo::bar");
    EXPECT_EQ(demangle("_ZN4core3ops8function6FnOnce9call_once17h0123456789abcdefE"),
              "core::ops::function::FnOnce::call_once");
    EXPECT_EQ(demangle("_ZN51_$LT$app..Pool$u20$as$u20$core..ops..drop..Drop$GT$4drop17h0123456789abcdefE"),
              "<app::Pool as core::ops::drop::Drop>::drop");
}

TEST(Demangle, KeepsWhatTheAuthorWrote) {
    using symbols::demangle;
    EXPECT_EQ(demangle("sem_open@@GLIBC_2.34"), "sem_open");
    EXPECT_EQ(demangle("_ZN3app4PoolC1Ei"), "app::Pool::Pool(int)");
    EXPECT_EQ(demangle("_ZN3app4makeEv.constprop.0.cold"), "app::make()");
    EXPECT_EQ(demangle("work.part.3"), "work");
    EXPECT_EQ(demangle("_ZN4core3ptr13drop_in_place17h0123456789abcdefE"), "core::ptr::drop_in_place");
    EXPECT_EQ(demangle("_Znonsense"), "_Znonsense");
    EXPECT_EQ(demangle(".hidden"), ".hidden");
}

}  // namespace
}  // namespace leftover::test
