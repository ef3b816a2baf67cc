#include "loadable.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "elf_file.h"
#include "preload/record/format.h"
#include "sys.h"
#include "text.h"

namespace leftover {
namespace {

using elf::File;
using elf::FileHeader;
using elf::Segment;

constexpr int number(Loadable value) { return static_cast<int>(value); }
constexpr int number(record::Reason value) { return static_cast<int>(value); }
static_assert(number(Loadable::static_) == number(record::Reason::static_));
static_assert(number(Loadable::setuid) == number(record::Reason::setuid));
static_assert(number(Loadable::architecture) == number(record::Reason::architecture));
static_assert(number(Loadable::libc) == number(record::Reason::libc));
static_assert(number(Loadable::unreadable) == number(record::Reason::unreadable));
static_assert(number(Loadable::unknown) == number(record::Reason::unknown));

constexpr int max_scripts = 5;          // the kernel follows as many #!
constexpr std::size_t head_size = 256;  // how much of a script's first line the kernel reads

std::string_view base_name(std::string_view path) {
    path.remove_prefix(path.rfind('/') + 1);  // npos + 1 is 0
    return path;
}

// A loader run as a program, `ld-linux-x86-64.so.2 PROGRAM`, preloads into what it loads.
bool is_loader(std::string_view path) {
    const std::string_view base = base_name(path);
    return base.starts_with("ld-linux") || base.starts_with("ld.so") || base.starts_with("ld-2.");
}

// With the effective ids, unlike access().
bool accessible(int dirfd, const char* path, int mode) {
    constexpr long faccessat2 = 439;
    const long result = sys::call(faccessat2, dirfd, path, mode, AT_EACCESS);
    if (result != -ENOSYS && result != -EPERM) return result == 0;
    // An old kernel, or an old filter that does not know the call.
    return mode == X_OK || File(dirfd, path).is_open();
}

bool library_readable(const char* library) {
    struct statfs system {};
    if (sys::call(SYS_statfs, library, &system) < 0) return false;
    if ((static_cast<unsigned long>(system.f_flags) & ST_NOEXEC) != 0) return false;
    return accessible(AT_FDCWD, library, R_OK);
}

// -- privileges that a program gains, for which its loader distrusts the environment -------------

// Where the kernel ignores set-uid bits and capabilities.
bool nothing_gained_here(const File& program) {
    if (sys::call(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1) return true;
    struct statfs system {};
    return program.is_open() && sys::call(SYS_fstatfs, program.fd(), &system) == 0 &&
           (static_cast<unsigned long>(system.f_flags) & ST_NOSUID) != 0;
}

// Set-user-id or set-group-id, to ids other than the caller's own. A caller whose effective ids
// already differ from its real ones is the same thing for the loader.
bool gains_ids(const struct ::stat& status, const File& program) {
    long uid = sys::call(SYS_geteuid), gid = sys::call(SYS_getegid);
    const bool set_uid = (status.st_mode & S_ISUID) != 0;
    // Without the group's x the bit means mandatory locking.
    const bool set_gid = (status.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);
    if ((set_uid || set_gid) && !nothing_gained_here(program)) {
        if (set_uid) uid = static_cast<long>(status.st_uid);
        if (set_gid) gid = static_cast<long>(status.st_gid);
    }
    return uid != sys::call(SYS_getuid) || gid != sys::call(SYS_getgid);
}

// File capabilities. Real root gains nothing by them that the loader would mind.
bool gains_capabilities(const File& program) {
    if (sys::call(SYS_getuid) == 0) return false;
    char* const size_only = nullptr;
    const long size = sys::call(SYS_fgetxattr, program.fd(), "security.capability", size_only, 0);
    return size > 0 && !nothing_gained_here(program);
}

// -- the C library that a program gets ----------------------------------------------------------

struct FileId {
    dev_t device;
    ino_t inode;
};
constinit FileId own_loader_id{0, 0};

// By which the loader of a new enough glibc is known: its own first version that has what the library asks for
// (_dl_find_object). Hashed as the ELF specification has it.
constexpr std::uint32_t needed_version = [] {
    std::uint32_t hash = 0;
    for (const char c : std::string_view("GLIBC_2.35")) {
        hash = (hash << 4) + static_cast<unsigned char>(c);
        hash = (hash ^ (hash >> 24 & 0xf0)) & 0x0fffffff;
    }
    return hash;
}();

// Where an address of the program's is in its file; 0 when it is not.
std::uint64_t offset_of(const File& program, const FileHeader& header, std::uint64_t address) {
    std::uint64_t offset = 0;
    elf::for_each_segment(program, header, [&](const Segment& segment) {
        if (segment.p_type == PT_LOAD && address >= segment.p_vaddr && address - segment.p_vaddr < segment.p_filesz) {
            offset = address - segment.p_vaddr + segment.p_offset;
        }
    });
    return offset;
}

bool defines_needed_version(const File& loader) {
    constexpr unsigned most_versions = 256;  // a file may claim any number
    FileHeader header;
    Segment dynamic{};
    if (!loader.read_all(&header, sizeof header, 0) || header.e_phentsize != sizeof(Segment)) return false;
    elf::for_each_segment(loader, header, [&](const Segment& segment) {
        if (segment.p_type == PT_DYNAMIC) dynamic = segment;
    });
    std::uint64_t address = 0;
    elf::for_each_dynamic(loader, dynamic, [&](const elf::DynamicEntry& entry) {
        if (entry.d_tag == DT_VERDEF) address = entry.d_un.d_ptr;
        return address != 0;
    });
    std::uint64_t at = address != 0 ? offset_of(loader, header, address) : 0;
    for (unsigned i = 0; at != 0 && i < most_versions; ++i) {
        ElfW(Verdef) version;
        if (!loader.read_all(&version, sizeof version, at)) return false;
        if (version.vd_hash == needed_version) return true;
        at = version.vd_next != 0 ? at + version.vd_next : 0;
    }
    return false;
}

bool is_own(const struct ::stat& status) {
    return own_loader_id.inode != 0 && status.st_ino == own_loader_id.inode && status.st_dev == own_loader_id.device;
}

// Whether the loader of that path, in the root that the program will have, is of a C library that has what the shim
// needs. One that is not there has no program run.
bool suits(const char* loader) {
    struct ::stat status {};
    if (sys::stat(loader, &status) != 0 || is_own(status)) return true;
    const File file(AT_FDCWD, loader);
    return file.is_open() && defines_needed_version(file);
}

// -- one program ---------------------------------------------------------------------------------

bool own_interpreter(const File& program, const Segment& segment) {
    char name[head_size];
    const std::size_t wanted = segment.p_filesz < sizeof name ? segment.p_filesz : sizeof name;
    const std::size_t size = program.read(name, wanted, segment.p_offset);
    if (size == 0 || name[size - 1] != '\0') return false;
    return base_name(name) == elf::own_loader && suits(name);
}

// The runtime as a shared library; linked in, as clang does by default, it needs no place in the
// list. `names` is where the dynamic section's strings are in the file.
void find_asan(const File& program, const Segment& dynamic, std::uint64_t names, Target& target) {
    elf::for_each_dynamic(program, dynamic, [&](const elf::DynamicEntry& entry) {
        if (entry.d_tag != DT_NEEDED) return false;
        char name[sizeof target.asan_runtime];
        const std::size_t size = program.read(name, sizeof name, names + entry.d_un.d_val);
        if (std::memchr(name, '\0', size) == nullptr) return false;
        const std::string_view runtime = name;
        target.asan = runtime.starts_with("libasan.so") || runtime.starts_with("libclang_rt.asan");
        if (target.asan) copy_bytes(target.asan_runtime, name, runtime.size() + 1);
        return target.asan;
    });
}

void find_asan(const File& program, const FileHeader& header, const Segment& dynamic,
               Target& target) {
    std::uint64_t address = 0;
    elf::for_each_dynamic(program, dynamic, [&](const elf::DynamicEntry& entry) {
        if (entry.d_tag == DT_STRTAB) address = entry.d_un.d_ptr;
        return address != 0;
    });
    const std::uint64_t offset = address != 0 ? offset_of(program, header, address) : 0;
    if (offset != 0) find_asan(program, dynamic, offset, target);
}

// Follows a chain of scripts to the program at its end.
class Inspector {
  public:
    Inspector(const char* library, Target& target) : library_(library), target_(target) {}

    void inspect(int dirfd, const char* path) {
        bool shell = false;
        for (int level = 0; level <= max_scripts; ++level) {
            const Step step = file(dirfd, path);
            if (step == Step::answered || (step == Step::refused && shell)) return;
            shell = step == Step::refused;
            path = shell ? "/bin/sh" : interpreter_;
            dirfd = AT_FDCWD;
        }
    }

  private:
    enum class Step { answered, script, refused };

    Step answer(Loadable loadable) {
        target_.loadable = loadable;
        return Step::answered;
    }

    // Looks at one file of the chain.
    Step file(int dirfd, const char* path) {
        char by_number[32];
        if (*path == '\0') {
            // Not by the descriptor itself: it may be one that cannot be read from (O_PATH).
            Text(by_number, sizeof by_number) << "/proc/self/fd/";
            Text number(by_number + sizeof "/proc/self/fd/" - 1, 12);
            number.number(static_cast<unsigned>(dirfd));
            path = by_number;
            dirfd = AT_FDCWD;
        }
        struct ::stat status {};
        if (sys::call(SYS_newfstatat, dirfd, path, &status, 0) != 0 || !S_ISREG(status.st_mode) ||
            !accessible(dirfd, path, X_OK)) {
            return Step::answered;  // will not be executed anyway
        }
        const File program(dirfd, path);
        if (!program.is_open()) {
            return answer(gains_ids(status, program) ? Loadable::setuid : Loadable::unknown);
        }
        alignas(FileHeader) char head[head_size];
        const std::size_t size = program.read(head, head_size, 0);
        if (size >= 2 && head[0] == '#' && head[1] == '!') return script({head + 2, size - 2});
        if (size < sizeof(FileHeader) || std::memcmp(head, ELFMAG, SELFMAG) != 0) {
            return Step::refused;
        }
        FileHeader header;
        copy_bytes(&header, head, sizeof header);
        return elf_program(program, header, path, status);
    }

    // `line` begins behind the #!; the kernel takes the rest as this does.
    Step script(std::string_view line) {
        constexpr std::string_view blanks = " \t", ends{" \t\n\0", 4};
        while (!line.empty() && blanks.find(line.front()) != std::string_view::npos) {
            line.remove_prefix(1);
        }
        std::size_t size = line.find_first_of(ends);
        if (size == std::string_view::npos) size = line.size();
        if (size == 0 || size > head_size - 3) return Step::refused;  // none, or cut off
        copy_bytes(interpreter_, line.data(), size);
        interpreter_[size] = '\0';
        return Step::script;
    }

    Step elf_program(const File& program, const FileHeader& header, const char* path,
                     const struct ::stat& status) {
        // The class first: the other fields lie elsewhere in another one.
        if (header.e_ident[EI_CLASS] != elf::own_class || header.e_ident[EI_DATA] != elf::own_data ||
            header.e_machine != elf::own_machine) {
            return answer(Loadable::architecture);
        }
        if ((header.e_type != ET_EXEC && header.e_type != ET_DYN) ||
            header.e_phentsize != sizeof(Segment)) {
            return Step::refused;
        }
        if (gains_ids(status, program) || gains_capabilities(program)) {
            return answer(Loadable::setuid);
        }
        Segment interpreter{}, dynamic{};
        elf::for_each_segment(program, header, [&](const Segment& segment) {
            if (segment.p_type == PT_INTERP) interpreter = segment;
            if (segment.p_type == PT_DYNAMIC) dynamic = segment;
        });
        if (interpreter.p_type == PT_NULL) {
            if (!is_loader(path)) return answer(Loadable::static_);
            if (!is_own(status) && !defines_needed_version(program)) return answer(Loadable::libc);
        } else if (!own_interpreter(program, interpreter)) {
            return answer(Loadable::libc);
        }
        if (!library_readable(library_)) return answer(Loadable::unreadable);
        if (dynamic.p_type == PT_DYNAMIC) find_asan(program, header, dynamic, target_);
        return Step::answered;
    }

    const char* library_;
    Target& target_;
    char interpreter_[head_size] = {};
};

}  // namespace

Target inspect(int dirfd, const char* path, const char* library) noexcept {
    Target target;
    Inspector(library, target).inspect(dirfd, path);
    return target;
}

void know_own_loader(const char* path) noexcept {
    struct ::stat status {};
    if (sys::stat(path, &status) == 0) own_loader_id = {status.st_dev, status.st_ino};
}

}  // namespace leftover
