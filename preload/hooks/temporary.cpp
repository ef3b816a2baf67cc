// mkstemp, mkdtemp and their kin, and the calls that only make up a name. In /dev/shm a file so made is
// shared memory.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include <cerrno>

#include "preload/core/clock.h"
#include "preload/core/sys.h"
#include "preload/hooks/descriptor.h"
#include "preload/hooks/given_names.h"
#include "preload/hooks/paths.h"
#include "preload/hooks/shm_file.h"
#include "preload/hooks/unseen.h"

namespace leftover {

namespace {

constexpr char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
constexpr std::size_t random_size = 6;

// The part of a pattern that is to be replaced, null when it has none.
char* random_part(char* pattern, int suffix) {
    if (suffix < 0 || !sys::readable(pattern)) return nullptr;
    const std::size_t size = length(pattern);
    const auto behind_random = static_cast<std::size_t>(suffix);
    if (size < random_size + behind_random) return nullptr;
    char* const random = pattern + (size - behind_random - random_size);
    return __builtin_memcmp(random, "XXXXXX", random_size) == 0 ? random : nullptr;
}

void fill(char* random, unsigned tries) {
    std::uint64_t value = 0;
    if (sys::call(SYS_getrandom, &value, sizeof value, 1 /* GRND_NONBLOCK */) != sizeof value) {
        value = mix(clock_ns(CLOCK_MONOTONIC), reinterpret_cast<std::uintptr_t>(&value) + tries);
    }
    for (std::size_t i = 0; i < random_size; ++i, value /= 62) random[i] = letters[value % 62];
}

// As libc's own does it, as many times (ATTEMPTS_MIN in its sysdeps/posix/tempname.c), but with each name
// written down before it is tried: after a kill within libc's nobody could say whose the file is.
// `make` is the real call, for patterns that are none. `attempt(slot)` tries the pattern as it now is:
// negative with errno when it cannot be made.
template <class Make, class Attempt>
auto make_temporary(Kind kind, char* pattern, int suffix, Make make, Attempt attempt) -> decltype(make()) {
    constexpr std::uint32_t shared = record::bit(Kind::shared_memory);
    Entry entry(record::bit(kind) | (kind == Kind::temporary_file ? shared : 0));
    char* const random = entry ? random_part(pattern, suffix) : nullptr;
    if (random == nullptr) return make();
    FullPath full(AT_FDCWD, pattern);
    if (full.empty()) return make();
    std::string_view name = full.view();
    if (kind == Kind::temporary_file && !shm_name(name).empty()) {
        kind = Kind::shared_memory;
        name = shm_name(name);
    }
    if ((options.kinds & record::bit(kind)) == 0) return make();
    char* copy = full.copy();
    if (copy != nullptr) copy += full.view().size() - static_cast<std::size_t>(suffix) - random_size;
    const int before = errno;
    for (unsigned tries = 0; tries < 62 * 62 * 62; ++tries) {
        fill(random, tries);
        if (copy != nullptr) copy_bytes(copy, random, random_size);
        const SlotRef slot = intend_name(kind, name);
        const auto made = attempt(slot);
        if (made) {
            errno = before;
            return made.value;
        }
        drop_intent(slot);
        if (errno != EEXIST) return made.value;
    }
    errno = EEXIST;
    return decltype(attempt(SlotRef{}))::failure;
}

struct Descriptor {
    static constexpr int failure = -1;
    int value;
    explicit operator bool() const { return value >= 0; }
};

struct Folder {
    static constexpr char* failure = nullptr;
    char* value;
    explicit operator bool() const { return value != nullptr; }
};

template <class Make>
int make_file(char* pattern, int suffix, int flags, Make make) {
    const int made = make_temporary(Kind::temporary_file, pattern, suffix, make, [&](const SlotRef& slot) {
        const int fd = open_unseen(pattern, (flags & ~O_ACCMODE) | O_RDWR | O_CREAT | O_EXCL, 0600);
        if (fd >= 0) confirm_descriptor(slot, fd);
        return Descriptor{fd};
    });
    return opened_path(made, pattern);
}

template <class Call>
char* give_name(Call call) {
    Entry entry(Kind::temporary_file);
    char* const name = call();
    if (!entry || name == nullptr || *name == 0) return name;
    const FullPath full(AT_FDCWD, name);
    // What is made in /dev/shm counts, or not, by what it is used for.
    if (!full.empty() && shm_name(full.view()).empty()) note_given_name(full.view());
    return name;
}

}  // namespace

HOOK(int, mkstemp, char* pattern) {
    return make_file(pattern, 0, 0, [&] { return real_mkstemp(pattern); });
}
HOOK(int, mkstemp64, char* pattern) {
    return make_file(pattern, 0, 0, [&] { return real_mkstemp64(pattern); });
}
HOOK(int, mkostemp, char* pattern, int flags) {
    return make_file(pattern, 0, flags, [&] { return real_mkostemp(pattern, flags); });
}
HOOK(int, mkostemp64, char* pattern, int flags) {
    return make_file(pattern, 0, flags, [&] { return real_mkostemp64(pattern, flags); });
}
HOOK(int, mkstemps, char* pattern, int suffix) {
    return make_file(pattern, suffix, 0, [&] { return real_mkstemps(pattern, suffix); });
}
HOOK(int, mkstemps64, char* pattern, int suffix) {
    return make_file(pattern, suffix, 0, [&] { return real_mkstemps64(pattern, suffix); });
}
HOOK(int, mkostemps, char* pattern, int suffix, int flags) {
    return make_file(pattern, suffix, flags, [&] { return real_mkostemps(pattern, suffix, flags); });
}
HOOK(int, mkostemps64, char* pattern, int suffix, int flags) {
    return make_file(pattern, suffix, flags, [&] { return real_mkostemps64(pattern, suffix, flags); });
}

HOOK(char*, mkdtemp, char* pattern) {
    const auto make = [&] { return real_mkdtemp(pattern); };
    return make_temporary(Kind::temporary_directory, pattern, 0, make, [&](const SlotRef& slot) {
        if (mkdir_unseen(pattern, 0700) != 0) return Folder{nullptr};
        confirm_name(slot, pattern);
        return Folder{pattern};
    });
}

HOOK(char*, tempnam, const char* folder, const char* prefix) {
    return give_name([&] { return real_tempnam(folder, prefix); });
}
HOOK(char*, tmpnam, char* buffer) {
    return give_name([&] { return real_tmpnam(buffer); });
}
HOOK(char*, tmpnam_r, char* buffer) {
    return give_name([&] { return real_tmpnam_r(buffer); });
}
HOOK(char*, mktemp, char* pattern) {
    return give_name([&] { return real_mktemp(pattern); });
}

}  // namespace leftover
