// System calls without libc: they return -errno and never touch errno, and no interposer sees them.
// Any context: signal handler, vforked child, before main.
#pragma once

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>

#include <cstddef>
#include <cstdint>

#include "law.h"

namespace leftover::sys {

#if defined(__x86_64__)
inline long raw(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
    long result;
    register long r10 asm("r10") = d;
    register long r8 asm("r8") = e;
    register long r9 asm("r9") = f;
    asm volatile("syscall"
                 : "=a"(result)
                 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                 : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
inline long raw(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
    register long x8 asm("x8") = number;
    register long x0 asm("x0") = a;
    register long x1 asm("x1") = b;
    register long x2 asm("x2") = c;
    register long x3 asm("x3") = d;
    register long x4 asm("x4") = e;
    register long x5 asm("x5") = f;
    asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
}
#else
#error "leftover's shim knows x86_64 and aarch64 only"
#endif

template <class T>
inline long word(T* pointer) {
    return reinterpret_cast<long>(pointer);
}
template <class T>
inline long word(T value) {
    return static_cast<long>(value);
}

inline long word(decltype(nullptr)) { return 0; }

template <class... Args>
inline long call(long number, Args... args) {
    return raw(number, word(args)...);
}

inline bool failed(long result) { return result < 0 && result > -4096; }

inline pid_t getpid() { return static_cast<pid_t>(call(SYS_getpid)); }
inline pid_t getppid() { return static_cast<pid_t>(call(SYS_getppid)); }
inline pid_t gettid() { return static_cast<pid_t>(call(SYS_gettid)); }

inline long open(const char* path, int flags, mode_t mode = 0) {
    return call(SYS_openat, AT_FDCWD, path, flags, mode);
}
inline long close(long fd) { return call(SYS_close, fd); }
inline long read(long fd, void* buffer, std::size_t size) { return call(SYS_read, fd, buffer, size); }
inline long pread(long fd, void* buffer, std::size_t size, std::uint64_t offset) {
    return call(SYS_pread64, fd, buffer, size, offset);
}
inline long write(long fd, const void* buffer, std::size_t size) { return call(SYS_write, fd, buffer, size); }
inline long unlink(const char* path) { return call(SYS_unlinkat, AT_FDCWD, path, 0); }
inline long mkdir(const char* path, mode_t mode) { return call(SYS_mkdirat, AT_FDCWD, path, mode); }
inline long readlink(const char* path, char* buffer, std::size_t size) {
    return call(SYS_readlinkat, AT_FDCWD, path, buffer, size);
}
inline long stat(const char* path, struct ::stat* result, int flags = 0) {
    return call(SYS_newfstatat, AT_FDCWD, path, result, flags);
}
inline long fstat(int fd, struct ::stat* result) {
    return call(SYS_fstat, fd, result);
}
inline void* mmap(void* address, std::size_t size, int protection, int flags, long fd, std::uint64_t offset) {
    const long result = call(SYS_mmap, address, size, protection, flags, fd, offset);
    return failed(result) ? nullptr : reinterpret_cast<void*>(result);
}
inline long munmap(void* address, std::size_t size) { return call(SYS_munmap, address, size); }
inline long kill(pid_t pid, int signal) { return call(SYS_kill, pid, signal); }
// Whether the byte there can be read, of memory that the program handed in: a call with a bad address has to fail
// with EFAULT, as it does without us. (The kernel reads the set before it finds that there is no such `how`; one that is
// aligned does not reach into the next page.)
inline bool readable(const void* address) {
    const std::uintptr_t set = reinterpret_cast<std::uintptr_t>(address) & ~(sizeof(std::uint64_t) - 1);
    return address != nullptr && call(SYS_rt_sigprocmask, -1, set, 0L, sizeof(std::uint64_t)) != -14;
}
// The same of a string with its NUL: its length, or `unreadable`. A look at the memory once a page.
inline constexpr std::size_t unreadable = ~std::size_t{0};
inline std::size_t readable_length(const char* text) {
    constexpr std::uintptr_t page = 4096;
    if (!readable(text)) return unreadable;
    const char* at = text;
    for (;;) {
        const char* const end = at + (page - reinterpret_cast<std::uintptr_t>(at) % page);
        while (at != end && *at != 0) ++at;
        if (at != end) return static_cast<std::size_t>(at - text);
        if (!readable(at)) return unreadable;
    }
}
inline bool readable_string(const char* text) { return readable_length(text) != unreadable; }
inline void yield() { call(SYS_sched_yield); }

inline void futex_wait(void* word, std::uint32_t expected, long nanoseconds) {
    const struct timespec timeout = {nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
    call(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, &timeout, 0L, 0L);
}
inline void futex_wake_all(void* word) { call(SYS_futex, word, FUTEX_WAKE_PRIVATE, 0x7fffffff, 0L, 0L, 0L); }

}  // namespace leftover::sys
