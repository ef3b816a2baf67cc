// Streams and folders, each with a descriptor that libc opens within the call. fdopen and fdopendir take
// one over that was noted already, and fcloseall closes no descriptor. popen is in shell.cpp.
#include <dirent.h>
#include <mntent.h>
#include <stdio.h>

#include <cerrno>

#include "preload/hooks/descriptor.h"

namespace leftover {

namespace {

// -1 for a stream that has none.
int number_of(FILE* stream) {
    const int saved = errno;
    const int fd = fileno_unlocked(stream);
    errno = saved;
    return fd;
}

}  // namespace

FILE* opened_stream(FILE* stream, std::string_view name) {
    if (stream != nullptr && wants_descriptors()) opened(number_of(stream), name);
    return stream;
}

void closing_stream(FILE* stream) {
    if (fresh.descriptors_noted.load(std::memory_order_relaxed) != 0 && stream != nullptr) note_closing(number_of(stream));
}

namespace {

FILE* opened_file(FILE* stream, const char* path) {
    if (stream != nullptr && wants_descriptors()) opened_path(number_of(stream), path);
    return stream;
}

// It closes the stream's descriptor, whatever comes of it.
template <class Call>
FILE* reopen(const char* path, FILE* stream, Call call) {
    bind_early();
    closing_stream(stream);
    FILE* const result = call();
    return path != nullptr ? opened_file(result, path) : opened_stream(result, {});
}

}  // namespace

HOOK(FILE*, fopen, const char* path, const char* mode) {
    bind_early();
    return opened_file(real_fopen(path, mode), path);
}

HOOK(FILE*, fopen64, const char* path, const char* mode) {
    bind_early();
    return opened_file(real_fopen64(path, mode), path);
}

HOOK(FILE*, freopen, const char* path, const char* mode, FILE* stream) {
    return reopen(path, stream, [&] { return real_freopen(path, mode, stream); });
}

HOOK(FILE*, freopen64, const char* path, const char* mode, FILE* stream) {
    return reopen(path, stream, [&] { return real_freopen64(path, mode, stream); });
}

HOOK(FILE*, tmpfile, ) {
    bind_early();
    return opened_stream(real_tmpfile(), "/tmp/ (deleted)");
}

HOOK(FILE*, tmpfile64, ) {
    bind_early();
    return opened_stream(real_tmpfile64(), "/tmp/ (deleted)");
}

HOOK(FILE*, setmntent, const char* path, const char* mode) {
    bind_early();
    return opened_file(real_setmntent(path, mode), path);
}

HOOK(FILE*, __setmntent, const char* path, const char* mode) {
    bind_early();
    return opened_file(real___setmntent(path, mode), path);
}

HOOK(int, endmntent, FILE* stream) {
    bind_early();
    closing_stream(stream);
    return real_endmntent(stream);
}

HOOK(int, __endmntent, FILE* stream) {
    bind_early();
    closing_stream(stream);
    return real___endmntent(stream);
}

HOOK(int, fclose, FILE* stream) {
    bind_early();
    closing_stream(stream);
    return real_fclose(stream);
}

HOOK(DIR*, opendir, const char* path) {
    bind_early();
    DIR* const folder = real_opendir(path);
    if (folder != nullptr) opened_path(dirfd(folder), path);
    return folder;
}

HOOK(int, closedir, DIR* folder) {
    bind_early();
    if (folder != nullptr && fresh.descriptors_noted.load(std::memory_order_relaxed) != 0) note_closing(dirfd(folder));
    return real_closedir(folder);
}

}  // namespace leftover
