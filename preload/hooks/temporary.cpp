// mkstemp and its kin in /dev/shm.
#include <fcntl.h>
#include <stdlib.h>

#include <cerrno>

#include "preload/core/clock.h"
#include "preload/core/sys.h"
#include "preload/hooks/shm_file.h"
#include "preload/hooks/unseen.h"

namespace leftover {

namespace {

constexpr char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
constexpr std::size_t random_size = 6;

// As libc's own would make it, but with each name written down before it is tried: after a kill within
// libc's nobody could say whose the file is. `make` is the real call, for patterns that are none.
template <class Make>
int make_in_shm(char* pattern, int suffix, int flags, Make make) {
    Entry entry(Kind::shared_memory);
    if (!entry || !sys::readable(pattern) || shm_name(pattern).empty() || suffix < 0) return make();
    const std::size_t size = length(pattern);
    const auto behind_random = static_cast<std::size_t>(suffix);
    if (size < shm_folder_size + random_size + behind_random) return make();
    char* const random = pattern + size - behind_random - random_size;
    if (__builtin_memcmp(random, "XXXXXX", random_size) != 0) return make();
    const int before = errno;
    for (unsigned tries = 0; tries < 62 * 62 * 62; ++tries) {
        std::uint64_t value = 0;
        if (sys::call(SYS_getrandom, &value, sizeof value, 1 /* GRND_NONBLOCK */) != sizeof value) {
            value = mix(clock_ns(CLOCK_MONOTONIC), reinterpret_cast<std::uintptr_t>(&value) + tries);
        }
        for (std::size_t i = 0; i < random_size; ++i, value /= 62) random[i] = letters[value % 62];
        const SlotRef slot = intend_name(Kind::shared_memory, shm_name(pattern));
        const int fd = open_unseen(pattern, (flags & ~O_ACCMODE) | O_RDWR | O_CREAT | O_EXCL, 0600);
        if (fd >= 0) {
            confirm_descriptor(slot, fd);
            errno = before;
            return fd;
        }
        drop_intent(slot);
        if (errno != EEXIST) return -1;
    }
    errno = EEXIST;
    return -1;
}

}  // namespace

HOOK(int, mkstemp, char* pattern) {
    return make_in_shm(pattern, 0, 0, [&] { return real_mkstemp(pattern); });
}
HOOK(int, mkstemp64, char* pattern) {
    return make_in_shm(pattern, 0, 0, [&] { return real_mkstemp64(pattern); });
}
HOOK(int, mkostemp, char* pattern, int flags) {
    return make_in_shm(pattern, 0, flags, [&] { return real_mkostemp(pattern, flags); });
}
HOOK(int, mkostemp64, char* pattern, int flags) {
    return make_in_shm(pattern, 0, flags, [&] { return real_mkostemp64(pattern, flags); });
}
HOOK(int, mkstemps, char* pattern, int suffix) {
    return make_in_shm(pattern, suffix, 0, [&] { return real_mkstemps(pattern, suffix); });
}
HOOK(int, mkstemps64, char* pattern, int suffix) {
    return make_in_shm(pattern, suffix, 0, [&] { return real_mkstemps64(pattern, suffix); });
}
HOOK(int, mkostemps, char* pattern, int suffix, int flags) {
    return make_in_shm(pattern, suffix, flags, [&] { return real_mkostemps(pattern, suffix, flags); });
}
HOOK(int, mkostemps64, char* pattern, int suffix, int flags) {
    return make_in_shm(pattern, suffix, flags, [&] { return real_mkostemps64(pattern, suffix, flags); });
}

}  // namespace leftover
