// The calls that take a name away, replace it or add another: what they end is found by its name. A path
// in another spelling than the one that something was made with ends nothing here; whether the name still
// means what was made is asked of the kernel at the end.
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "preload/core/sys.h"
#include "preload/hooks/given_names.h"
#include "preload/hooks/paths.h"
#include "preload/hooks/shm_file.h"

namespace leftover {

namespace {

constexpr std::uint32_t in_shm = record::bit(Kind::shared_memory) | record::bit(Kind::semaphore);
constexpr std::uint32_t anywhere =
    record::bit(Kind::temporary_file) | record::bit(Kind::temporary_directory) | record::bit(Kind::socket_file);

// The kinds of which this process, or the one that forked it, made something that is still there. As long
// as there are none, and mostly there are none, these calls cost no more than to ask.
std::uint32_t kinds_left() {
    if (!ready() || !recording.load(std::memory_order_relaxed)) return 0;
    std::uint32_t left = names_were_given() ? record::bit(Kind::temporary_file) : 0;
    Mapping* const own = opened_record();
    for (Mapping* mapping : {own, own == fresh.inherited ? nullptr : fresh.inherited}) {
        if (mapping == nullptr || !*mapping) continue;
        for (std::uint32_t kinds = (in_shm | anywhere) & options.kinds; kinds != 0; kinds &= kinds - 1) {
            const auto kind = static_cast<std::uint32_t>(__builtin_ctz(kinds));
            const record::Counter& counter = mapping->header->counters[kind];
            if (counter.created.load(std::memory_order_relaxed) != counter.released.load(std::memory_order_relaxed)) {
                left |= 1U << kind;
            }
        }
    }
    return left;
}

// What one path means. A name may stand for several: of all but one something was missed.
struct Meant {
    SlotRef slots[4];
    std::uint32_t count = 0;

    void look_for(std::uint32_t left, Kind kind, std::string_view name) {
        if ((left & record::bit(kind)) == 0) return;
        if (const SlotRef found = find_slot(kind, name)) slots[count++] = found;
    }
    void look_for(std::uint32_t left, std::string_view path);
    void end() const;
};

void Meant::look_for(std::uint32_t left, std::string_view path) {
    if (path.empty()) return;
    const std::string_view name = shm_name(path);
    if (!name.empty()) {
        // A semaphore's file is one like any other.
        constexpr std::string_view semaphore = "/sem.";
        if (name.starts_with(semaphore) && name.size() > semaphore.size()) {
            char buffer[264];
            Text text(buffer, sizeof buffer);
            text << '/' << behind(name, semaphore.size());
            look_for(left, Kind::semaphore, text.view());
        }
        if (count == 0) look_for(left, Kind::shared_memory, name);
    }
    look_for(left, Kind::temporary_file, path);
    look_for(left, Kind::temporary_directory, path);
    look_for(left, Kind::socket_file, path);
}

void Meant::end() const {
    for (std::uint32_t i = 0; i < count; ++i) {
        if ((slots[i].slot->flags.load(std::memory_order_relaxed) & record::unmapped) != 0) {
            unmapped_files.fetch_sub(1, std::memory_order_relaxed);
        }
        release_slot(slots[i]);
    }
}

struct Path {
    int dirfd;
    const char* text;
};

// Runs `call`, which takes the names given, one or two, away when it succeeds.
template <class Call>
int taking_away(Path path, Path other, Call call) {
    const std::uint32_t left = kinds_left();
    if (left == 0) return call();
    Entry entry(in_shm | anywhere);
    if (!entry) return call();
    Meant meant;
    Meant replaced;
    {
        const FullPath full(path.dirfd, path.text);
        if (other.text == nullptr) {
            meant.look_for(left, full.view());
        } else {
            const FullPath other_full(other.dirfd, other.text);
            // To itself nothing is renamed.
            if (full.view() != other_full.view()) {
                meant.look_for(left, full.view());
                replaced.look_for(left, other_full.view());
            }
        }
    }
    const int result = call();
    if (result == 0) {
        meant.end();
        replaced.end();
    }
    return result;
}

template <class Call>
int taking_away(Path path, Call call) {
    return taking_away(path, {AT_FDCWD, nullptr}, call);
}

}  // namespace

HOOK(int, unlink, const char* path) {
    return taking_away({AT_FDCWD, path}, [&] { return real_unlink(path); });
}
HOOK(int, unlinkat, int dirfd, const char* path, int flags) {
    return taking_away({dirfd, path}, [&] { return real_unlinkat(dirfd, path, flags); });
}
HOOK(int, remove, const char* path) {
    return taking_away({AT_FDCWD, path}, [&] { return real_remove(path); });
}
HOOK(int, rmdir, const char* path) {
    return taking_away({AT_FDCWD, path}, [&] { return real_rmdir(path); });
}

// A rename takes both names: the old one is gone, and what the new one meant before is replaced.
HOOK(int, rename, const char* from, const char* to) {
    return taking_away({AT_FDCWD, from}, {AT_FDCWD, to}, [&] { return real_rename(from, to); });
}
HOOK(int, renameat, int from_dirfd, const char* from, int to_dirfd, const char* to) {
    return taking_away({from_dirfd, from}, {to_dirfd, to},
                       [&] { return real_renameat(from_dirfd, from, to_dirfd, to); });
}
HOOK(int, renameat2, int from_dirfd, const char* from, int to_dirfd, const char* to, unsigned flags) {
    return taking_away({from_dirfd, from}, {to_dirfd, to},
                       [&] { return real_renameat2(from_dirfd, from, to_dirfd, to, flags); });
}

// A link gives the object a name of the user's choice: it is theirs.
HOOK(int, link, const char* from, const char* to) {
    return taking_away({AT_FDCWD, from}, [&] { return real_link(from, to); });
}
HOOK(int, linkat, int from_dirfd, const char* from, int to_dirfd, const char* to, int flags) {
    return taking_away({from_dirfd, from}, [&] { return real_linkat(from_dirfd, from, to_dirfd, to, flags); });
}

}  // namespace leftover
