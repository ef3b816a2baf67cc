// Two ways to read what may not be there: loads, for memory of this process that cannot go away
// meanwhile, and process_vm_readv, for all other. What reads Python's structures is a template on
// one of them:
//
//   bool read(std::uintptr_t address, void* to, std::size_t size) noexcept;   all of it, or false
//
// Any context; errno is kept.
#pragma once

#include <errno.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "preload/core/sys.h"

namespace leftover::python {

// Where user space may be. Numbers that are no address at all are told from pointers by this.
#if defined(__x86_64__)
inline constexpr std::uintptr_t address_end = std::uintptr_t{1} << 47;
#else
inline constexpr std::uintptr_t address_end = std::uintptr_t{1} << 52;
#endif
inline constexpr std::uintptr_t address_begin = 4096;

inline bool is_plausible(std::uintptr_t address, std::size_t size) noexcept {
    return address >= address_begin && address < address_end && size <= address_end - address;
}

class LocalMemory {
public:
    bool read(std::uintptr_t address, void* to, std::size_t size) noexcept {
        if (!is_plausible(address, size)) return false;
        std::memcpy(to, reinterpret_cast<const void*>(address), size);
        return true;
    }
};

// Another process, or this one where a plain load might fault. Keeps a few lines, as neighbouring
// fields are asked for one by one; an object shows one moment of another process at best.
class ProcessMemory {
public:
    explicit ProcessMemory(pid_t pid) noexcept : pid_(pid) {}

    bool read(std::uintptr_t address, void* to, std::size_t size) noexcept {
        if (!is_plausible(address, size)) return false;
        auto* out = static_cast<unsigned char*>(to);
        while (size != 0) {
            const std::size_t skip = address % line_size;
            const std::size_t part = size < line_size - skip ? size : line_size - skip;
            const Line* line = fetch(address - skip);
            if (line == nullptr) return false;
            std::memcpy(out, line->bytes.data() + skip, part);
            out += part;
            address += part;
            size -= part;
        }
        return true;
    }

    // The kernel does not let us: by a seccomp filter, ptrace's rules, or because it has no such
    // call.
    bool is_refused() const noexcept { return is_refused_; }

private:
    static constexpr std::size_t line_size = 256;  // divides a page: is there whole or not at all
    struct Line {
        std::uintptr_t address = 0;
        std::array<unsigned char, line_size> bytes;
    };

    const Line* fetch(std::uintptr_t address) noexcept {
        Line& line = lines_[address / line_size % lines_.size()];
        if (line.address == address) return &line;
        line.address = 0;
        struct iovec here = {line.bytes.data(), line_size};
        struct iovec there = {reinterpret_cast<void*>(address), line_size};
        const long got = sys::call(SYS_process_vm_readv, pid_, &here, 1L, &there, 1L, 0L);
        if (got != static_cast<long>(line_size)) {
            is_refused_ = is_refused_ || got == -EPERM || got == -ENOSYS || got == -EACCES;
            return nullptr;
        }
        line.address = address;
        return &line;
    }

    pid_t pid_;
    bool is_refused_ = false;
    std::array<Line, 8> lines_;
};

template <class T, class Memory>
bool load(Memory& memory, std::uintptr_t object, std::size_t offset, T& value) noexcept {
    // No object of CPython is less aligned than its fields; this refuses most of what is no
    // pointer.
    return (object + offset) % alignof(T) == 0 &&
           memory.read(object + offset, &value, sizeof value);
}

}  // namespace leftover::python
