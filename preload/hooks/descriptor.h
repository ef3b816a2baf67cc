// How hooks note what a call opened and closes.
//
// The guard of hook.h is not held over these calls: many of them block, and what a signal handler opens
// meanwhile is the program's own. libc's own calls among them are not seen by any hook.
#pragma once

#include <stdio.h>

#include "preload/core/descriptors.h"
#include "preload/core/hook.h"
#include "preload/core/text.h"

namespace leftover {

inline void bind_early() {
    if (__builtin_expect(initialised.load(std::memory_order_acquire) != 2, 0)) initialise();
}

// The call's result, after a note of it. `path` is what it was opened by, as the program gave it.
inline int opened_path(int fd, const char* path) {
    if (fd > 2 && wants_descriptors()) note_opened(fd, {path, length(path)});
    return fd;
}
// Of what has no path, the sort.
inline int opened_as(int fd, std::string_view sort) {
    opened(fd, sort);
    return fd;
}

// A stream that a call made; null when it made none.
FILE* opened_stream(FILE* stream, std::string_view name);
void closing_stream(FILE* stream);

}  // namespace leftover
