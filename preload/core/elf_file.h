// Reading an ELF file piecewise, without the C library's open(), a heap or errno: for what must run in
// a vforked child. Sizes and offsets are whatever the file says; a read beyond its end is empty.
#pragma once

#include <cstddef>
#include <cstdint>

#include <elf.h>
#include <fcntl.h>
#include <link.h>

#include "sys.h"

namespace leftover::elf {

using FileHeader = ElfW(Ehdr);
using Segment = ElfW(Phdr);
using DynamicEntry = ElfW(Dyn);

inline constexpr unsigned char own_class = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
inline constexpr unsigned char own_data =
    __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;

// This machine's e_machine, and the base name of the C library's loader: a program of another C
// library names another. Only the base name counts, as some distributions keep it elsewhere.
#if defined(__x86_64__) && defined(__LP64__)
inline constexpr unsigned own_machine = EM_X86_64;
inline constexpr char own_loader[] = "ld-linux-x86-64.so.2";
#elif defined(__aarch64__)
inline constexpr unsigned own_machine = EM_AARCH64;
inline constexpr char own_loader[] = "ld-linux-aarch64.so.1";
#else
#error "name this machine's ELF machine and its C library's loader here"
#endif

class File {
public:
    File(int dirfd, const char* path) noexcept {
        // Not blocking: what is opened may have become a fifo since it was looked at.
        fd_ = sys::call(SYS_openat, dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0);
    }
    ~File() {
        if (fd_ >= 0) sys::close(fd_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    bool is_open() const { return fd_ >= 0; }
    int fd() const { return static_cast<int>(fd_); }

    // How many bytes there were, at most `size`.
    std::size_t read(void* to, std::size_t size, std::uint64_t offset) const {
        if (offset > INT64_MAX) return 0;
        const long got = sys::pread(fd_, to, size, offset);
        return got < 0 ? 0 : static_cast<std::size_t>(got);
    }
    bool read_all(void* to, std::size_t size, std::uint64_t offset) const {
        return read(to, size, offset) == size;
    }

private:
    long fd_;
};

inline constexpr std::size_t max_dynamic_entries = 4096;  // a file may claim any number

template <class Visit>
void for_each_segment(const File& file, const FileHeader& header, Visit visit) {
    constexpr unsigned batch = 16;
    Segment segments[batch];
    const unsigned count = header.e_phnum;
    for (unsigned first = 0; first < count; first += batch) {
        const unsigned number = count - first < batch ? count - first : batch;
        const std::uint64_t offset = header.e_phoff + first * sizeof(Segment);
        if (!file.read_all(segments, number * sizeof(Segment), offset)) return;
        for (unsigned i = 0; i < number; ++i) visit(segments[i]);
    }
}

// `visit` says whether it has seen enough.
template <class Visit>
void for_each_dynamic(const File& file, const Segment& dynamic, Visit visit) {
    constexpr std::size_t batch = 32;
    DynamicEntry entries[batch];
    std::size_t count = dynamic.p_filesz / sizeof(DynamicEntry);
    if (count > max_dynamic_entries) count = max_dynamic_entries;
    for (std::size_t first = 0; first < count; first += batch) {
        const std::size_t number = count - first < batch ? count - first : batch;
        const std::uint64_t offset = dynamic.p_offset + first * sizeof(DynamicEntry);
        if (!file.read_all(entries, number * sizeof(DynamicEntry), offset)) return;
        for (std::size_t i = 0; i < number; ++i) {
            if (entries[i].d_tag == DT_NULL || visit(entries[i])) return;
        }
    }
}

}  // namespace leftover::elf
