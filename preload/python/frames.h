// The Python stack of the calling thread: CPython 2.7 and 3.6 to 3.13 by reading its structures,
// which costs a microsecond and changes nothing; any other CPython through its C API, where this
// thread holds the GIL. Python is never linked to. The law of preload/core/law.h holds.
#pragma once

#include <link.h>

#include <cstddef>

namespace leftover::python {

// Looks for CPython in this process: in every module that is loaded (the executable, a linked
// libpython, one loaded with RTLD_LOCAL), or only in the one loaded as `library_path`. True once
// one is known; from then on a single load. Cheap when there is none: about 0.1 us a module, no
// dlsym, and dlerror's state untouched.
//
// Takes locks of the loader (dl_iterate_phdr's; on success dlopen's, once, so that the module stays
// mapped): not in a signal handler, a vforked child, or a child that _Fork or clone left with the
// locks of threads it does not have. errno is kept.
bool detect(const char* library_path) noexcept;

// What goes through the modules for it: dl_iterate_phdr, or what stands for it. Set before.
extern int (*each_module)(int (*visit)(dl_phdr_info*, std::size_t, void*), void* data);

// Innermost first. UTF-8, not NUL-terminated, valid only during the call, at most 255 bytes: of a
// longer file name the end is kept, of a function's the start, cut between characters. What UTF-8
// cannot hold is U+FFFD; a name that cannot be read is "?". `line` is 0 where the code has none.
using FrameSink = void (*)(void* context, const char* function, std::size_t function_length,
                           const char* file, std::size_t file_length, int line) noexcept;

// Calls `sink` for at most `max` frames of the calling thread and returns how many. 0 when this
// thread runs no Python, when nothing was detected, before Python is initialised and from the
// moment on in which it finalises, and, for a version without a table, when this thread does not
// hold the GIL.
//
// Any thread, with or without the GIL, in forked and vforked children and in signal handlers; errno
// is kept. A handler that interrupted CPython 3.11 or later in the middle of a call may get a stack
// that is cut short, or none.
//
// Only for a version without a table: not in a signal handler, which may have interrupted the very
// API that is called then.
std::size_t capture(FrameSink sink, void* context, std::size_t max) noexcept;

}  // namespace leftover::python
