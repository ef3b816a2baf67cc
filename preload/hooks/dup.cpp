// Descriptors made of others, and pipes.
#include <fcntl.h>
#include <unistd.h>

#include <cstdarg>

#include "preload/hooks/descriptor.h"

namespace leftover {

namespace {

// A copy of `from`, as which it is noted.
int copied(int fd, int from) {
    if (fd <= 2 || !wants_descriptors()) return fd;
    char name[sizeof record::Descriptor::name];
    note_opened(fd, name_of_descriptor(from, name));
    return fd;
}

int copied_onto(int result, int from) { return result == from ? result : copied(result, from); }

int made_pipe(int result, const int* ends) {
    if (result == 0) {
        opened(ends[0], "pipe");
        opened(ends[1], "pipe");
    }
    return result;
}

}  // namespace

HOOK(int, dup, int fd) {
    bind_early();
    return copied(real_dup(fd), fd);
}

HOOK(int, dup2, int fd, int target) {
    bind_early();
    return copied_onto(real_dup2(fd, target), fd);
}

HOOK(int, __dup2, int fd, int target) {
    bind_early();
    return copied_onto(real___dup2(fd, target), fd);
}

HOOK(int, dup3, int fd, int target, int flags) {
    bind_early();
    return copied_onto(real_dup3(fd, target, flags), fd);
}

#define FCNTL_HOOK(NAME)                                                            \
    HOOK(int, NAME, int fd, int command, ...) {                                     \
        va_list rest;                                                               \
        va_start(rest, command);                                                    \
        void* const argument = va_arg(rest, void*);                                 \
        va_end(rest);                                                               \
        bind_early();                                                               \
        const auto real = reinterpret_cast<int (*)(int, int, ...)>(real_##NAME);    \
        const int result = real(fd, command, argument);                             \
        if (command == F_DUPFD || command == F_DUPFD_CLOEXEC) copied(result, fd);   \
        return result;                                                              \
    }

FCNTL_HOOK(fcntl)
FCNTL_HOOK(fcntl64)
FCNTL_HOOK(__fcntl)

HOOK(int, pipe, int* ends) {
    bind_early();
    return made_pipe(real_pipe(ends), ends);
}

HOOK(int, __pipe, int* ends) {
    bind_early();
    return made_pipe(real___pipe(ends), ends);
}

HOOK(int, pipe2, int* ends, int flags) {
    bind_early();
    return made_pipe(real_pipe2(ends, flags), ends);
}

}  // namespace leftover
