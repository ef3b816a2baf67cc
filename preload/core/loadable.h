// Can the shim be loaded into a program? Asked before each exec, by the launcher and by the shim's
// exec hooks: a program that cannot take the library must not see it in LD_PRELOAD, or the loader
// complains on its standard error, or the program does not start at all.
//
// May be called in a vforked child and in a signal handler: raw system calls, no heap, no state of
// its own, errno untouched, some 3 kB of stack.
#pragma once

namespace leftover {

// The numbers are those of record::Reason, with `yes` for `none`.
enum class Loadable : unsigned char {
    yes,
    static_,       // no loader, nothing reads LD_PRELOAD
    setuid,        // gains privileges: its loader takes no library from a path
    architecture,  // another processor, word size or byte order
    libc,          // another C library's loader, or one of a glibc that lacks what the library needs
    unreadable,    // it could not open the library, as the user and under the root it will have
    unknown,       // it can be executed but not looked at
};

struct Target {
    Loadable loadable = Loadable::yes;
    bool asan = false;          // AddressSanitizer's runtime insists on being first in LD_PRELOAD
    char asan_runtime[64] = {};  // its name as the program asks for it, such as libasan.so.8
};

// `path` is what will be exec'd, seen from `dirfd` (AT_FDCWD: from the working directory); when it is
// empty, `dirfd` is the program itself. `#!` is followed as the kernel does. What the kernel refuses to
// execute is judged as /bin/sh, to which execvp and shells hand it. What is not there, or may not be
// executed, is `yes`: its exec fails by itself. `library` is the shim's absolute path.
Target inspect(int dirfd, const char* path, const char* library) noexcept;

// Tells which file this process's own loader is: with that one the library could be loaded, and no other need be looked
// into. Once; without it all are.
void know_own_loader(const char* path) noexcept;

}  // namespace leftover
