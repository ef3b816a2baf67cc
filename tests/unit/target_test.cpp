// Which programs the shim can be loaded into, and which file a command is.
#include <elf.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <link.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "preload/core/loadable.h"
#include "reporter/run/program_path.h"
#include "tests/support/temporary_folder.h"

namespace leftover {
namespace {

using test::TemporaryFolder;

class Targets : public testing::Test {
protected:
    std::string path(const std::string& name) const { return (folder_ / name).string(); }

    std::string make(const std::string& name, const std::string& content, mode_t mode = 0755) {
        test::write_file(folder_ / name, content);
        ::chmod(path(name).c_str(), mode);
        return path(name);
    }

    // This very test, changed.
    template <class Change>
    std::string make_changed(const std::string& name, Change change) {
        // At once: under a sanitizer it is large, and a byte at a time would take minutes.
        std::string content(std::filesystem::file_size("/proc/self/exe"), '\0');
        std::ifstream("/proc/self/exe", std::ios::binary).read(content.data(), static_cast<std::streamsize>(content.size()));
        auto* header = reinterpret_cast<Elf64_Ehdr*>(content.data());
        auto* segments = reinterpret_cast<Elf64_Phdr*>(content.data() + header->e_phoff);
        change(*header, segments, content);
        return make(name, content);
    }

    Loadable ask(const std::string& file) const {
        errno = 4711;
        const Target target = inspect(AT_FDCWD, file.c_str(), library_.c_str());
        EXPECT_EQ(errno, 4711);
        return target.loadable;
    }

    TemporaryFolder folder_;
    std::string library_ = "/proc/self/exe";  // any file that can be read and mapped
};

// This program's own.
std::string loader() {
    for (const link_map* module = _r_debug.r_map; module != nullptr; module = module->l_next) {
        const std::string_view name(module->l_name);
        if (name.substr(name.rfind('/') + 1).starts_with("ld-linux")) return module->l_name;
    }
    return "";
}

TEST_F(Targets, dynamicPrograms) {
    EXPECT_EQ(ask("/proc/self/exe"), Loadable::yes);
    EXPECT_EQ(ask("/bin/sh"), Loadable::yes);
    const int folder = ::open("/bin", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    EXPECT_EQ(inspect(folder, "sh", library_.c_str()).loadable, Loadable::yes);
    ::close(folder);
    const int program = ::open("/bin/sh", O_PATH | O_CLOEXEC);
    EXPECT_EQ(inspect(program, "", library_.c_str()).loadable, Loadable::yes);
    ::close(program);
}

TEST_F(Targets, staticPrograms) {
    const auto without_interpreter = [](Elf64_Ehdr& header, Elf64_Phdr* segments, std::string&) {
        for (int i = 0; i < header.e_phnum; ++i) {
            if (segments[i].p_type == PT_INTERP) segments[i].p_type = PT_NULL;
        }
    };
    EXPECT_EQ(ask(make_changed("static", without_interpreter)), Loadable::static_);
    // Loaders have no interpreter either, but load what they are told to with the shim, if they are of a C library that
    // has what it needs.
    EXPECT_EQ(ask(make_changed("ld-linux-x86-64.so.2", without_interpreter)), Loadable::libc);
    EXPECT_EQ(ask(loader()), Loadable::yes);
    know_own_loader(loader().c_str());
    EXPECT_EQ(ask(loader()), Loadable::yes);
    const int program = ::open(path("static").c_str(), O_RDONLY | O_CLOEXEC);
    EXPECT_EQ(inspect(program, "", library_.c_str()).loadable, Loadable::static_);
    ::close(program);
}

TEST_F(Targets, otherMachinesAndLibraries) {
    EXPECT_EQ(ask(make_changed("class", [](Elf64_Ehdr& header, auto*,
                                           auto&) { header.e_ident[EI_CLASS] = ELFCLASS32; })),
              Loadable::architecture);
    EXPECT_EQ(ask(make_changed(
                  "machine", [](Elf64_Ehdr& header, auto*, auto&) { header.e_machine = EM_S390; })),
              Loadable::architecture);
    const auto with_interpreter = [](const char* name) {
        return [name](Elf64_Ehdr& header, Elf64_Phdr* segments, std::string& content) {
            for (int i = 0; i < header.e_phnum; ++i) {
                if (segments[i].p_type != PT_INTERP) continue;
                std::strcpy(content.data() + segments[i].p_offset, name);
                segments[i].p_filesz = std::strlen(name) + 1;
            }
        };
    };
    EXPECT_EQ(ask(make_changed("musl", with_interpreter("/lib/ld-musl.so.1"))), Loadable::libc);
#if defined(__x86_64__)
    EXPECT_EQ(ask(make_changed("nix", with_interpreter("/n/ld-linux-x86-64.so.2"))), Loadable::yes);
#endif
}

TEST_F(Targets, damagedPrograms) {
    // None of them is executed; the answer matters little, that there is one does.
    for (std::size_t size : {4U, 20U, 63U, 64U, 100U, 500U}) {
        EXPECT_NO_FATAL_FAILURE(ask(make_changed(
            "cut", [size](auto&, auto*, std::string& content) { content.resize(size); })));
    }
    EXPECT_NO_FATAL_FAILURE(
        ask(make_changed("wild", [](Elf64_Ehdr& header, Elf64_Phdr* segments, auto&) {
            for (int i = 0; i < header.e_phnum; ++i) {
                segments[i].p_offset = ~std::uint64_t{0} - 100;
                segments[i].p_filesz = ~std::uint64_t{0};
            }
            header.e_phnum = 0xffff;
        })));
}

TEST_F(Targets, scripts) {
    const std::string program =
        make_changed("static", [](Elf64_Ehdr& header, Elf64_Phdr* segments, auto&) {
            for (int i = 0; i < header.e_phnum; ++i) {
                if (segments[i].p_type == PT_INTERP) segments[i].p_type = PT_NULL;
            }
        });
    EXPECT_EQ(ask(make("one", "#!" + program + "\n")), Loadable::static_);
    EXPECT_EQ(ask(make("two", "#! \t" + path("one") + " -x y\n")), Loadable::static_);
    EXPECT_EQ(ask(make("end", "#!" + program)), Loadable::static_);
    EXPECT_EQ(ask(make("sh", "#!/bin/sh\n")), Loadable::yes);
    EXPECT_EQ(ask(make("missing", "#!/no/such/file\n")), Loadable::yes);
    EXPECT_EQ(ask(make("loop", "#!" + path("loop") + "\n")), Loadable::yes);
    // A shell's.
    EXPECT_EQ(ask(make("plain", "echo\n")), Loadable::yes);
    EXPECT_EQ(ask(make("empty", "")), Loadable::yes);
    EXPECT_EQ(ask(make("nothing", "#!\n")), Loadable::yes);
    EXPECT_EQ(ask(make("long", "#!/" + std::string(300, 'x') + "\n")), Loadable::yes);
}

TEST_F(Targets, whatIsNotExecutedAnyway) {
    EXPECT_EQ(ask(path("missing")), Loadable::yes);
    EXPECT_EQ(ask(path("")), Loadable::yes);
    EXPECT_EQ(ask(make("plain",
                       "\x7f"
                       "ELF",
                       0644)),
              Loadable::yes);
    ::mkfifo(path("fifo").c_str(), 0755);
    EXPECT_EQ(ask(path("fifo")), Loadable::yes);
}

TEST_F(Targets, unreadableLibrary) {
    library_ = path("missing.so");
    EXPECT_EQ(ask("/bin/sh"), Loadable::unreadable);
    struct statvfs system {};
    if (::statvfs("/proc", &system) != 0 || (system.f_flag & ST_NOEXEC) == 0) {
        GTEST_SKIP() << "/proc is not mounted noexec here";
    }
    library_ = "/proc/self/status";
    EXPECT_EQ(ask("/bin/sh"), Loadable::unreadable);
}

TEST_F(Targets, gainedPrivileges) {
    const auto same = [](auto&, auto*, auto&) {};
    const std::string program = make_changed("program", same);
    ::chmod(program.c_str(), 04755);
    EXPECT_EQ(ask(program), Loadable::yes);  // our own id
    ::chmod(program.c_str(), 02745);
    EXPECT_EQ(ask(program), Loadable::yes);  // mandatory locking, not set-gid
    if (::chown(program.c_str(), 65534, 65534) != 0) GTEST_SKIP() << "only root gives files away";
    ::chmod(program.c_str(), 04755);
    EXPECT_EQ(ask(program), Loadable::setuid);
    ::chmod(program.c_str(), 02755);
    EXPECT_EQ(ask(program), Loadable::setuid);
    ::chmod(program.c_str(), 0755);
    EXPECT_EQ(ask(program), Loadable::yes);
}

TEST_F(Targets, commandsAreFoundLikeExecvp) {
    using run::find_program;
    make("one/tool", "", 0644);
    make("two/tool", "", 0755);
    make("two/other", "", 0644);
    const std::string search = path("none") + ":" + path("one") + ":" + path("two");
    EXPECT_EQ(find_program("tool", search.c_str()).path, path("two/tool"));
    EXPECT_EQ(find_program("tool", search.c_str()).error, 0);
    EXPECT_EQ(find_program("other", search.c_str()).error, EACCES);
    EXPECT_EQ(find_program("neither", search.c_str()).error, ENOENT);
    EXPECT_EQ(find_program("", search.c_str()).error, ENOENT);
    EXPECT_EQ(find_program("sh", nullptr).path, "/bin/sh");
    EXPECT_EQ(find_program(path("two"), nullptr).error, EACCES);
    EXPECT_EQ(find_program(path("two/tool/x"), nullptr).error, ENOTDIR);
    EXPECT_EQ(find_program(path("one/tool"), nullptr).error, EACCES);
}

}  // namespace
}  // namespace leftover
