// The calls that take a name away, replace it or add another: what they end is found by its name.
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "preload/core/sys.h"
#include "preload/hooks/shm_file.h"

namespace leftover {

namespace {

// What unlink, rename or link of a path in /dev/shm ends: the object that was made there. A semaphore's
// file is one like any other.
SlotRef find_path(const char* path) {
    const std::string_view name = shm_name(path);
    if (name.empty()) return {};
    constexpr std::string_view semaphore = "/sem.";
    if (name.starts_with(semaphore) && name.size() > semaphore.size()) {
        char buffer[264];
        Text text(buffer, sizeof buffer);
        text << '/' << behind(name, semaphore.size());
        if (SlotRef found = find_slot(Kind::semaphore, text.view())) return found;
    }
    return find_slot(Kind::shared_memory, name);
}

void ended(const SlotRef& slot) {
    if (!slot) return;
    if ((slot.slot->flags.load(std::memory_order_relaxed) & record::unmapped) != 0) {
        unmapped_files.fetch_sub(1, std::memory_order_relaxed);
    }
    release_slot(slot);
}

bool in_folder(const char* path) {
    return path != nullptr && __builtin_strncmp(path, shm_folder, shm_folder_size) == 0;
}

// A bare name may be meant in /dev/shm; as long as nothing was made there, nobody needs to know.
const char* full_path(int dirfd, const char* path, char (&buffer)[288]) {
    if (!sys::readable(path)) return nullptr;
    if (path[0] == '/') return path;
    const Mapping* mapping = opened_record();
    if (mapping == nullptr) return path;
    const auto made = [&](Kind kind) {
        return mapping->header->counters[static_cast<std::size_t>(kind)].created.load(std::memory_order_relaxed) != 0;
    };
    return made(Kind::shared_memory) || made(Kind::semaphore) ? resolve_in_shm(dirfd, path, buffer) : path;
}

// Runs `call`, which takes the names given, one or two, away when it succeeds.
template <class Call>
int taking_away(int dirfd, const char* given, int other_dirfd, const char* other_given, Call call) {
    char buffer[288];
    char other_buffer[288];
    const char* path = full_path(dirfd, given, buffer);
    const char* other = full_path(other_dirfd, other_given, other_buffer);
    if (!in_folder(path) && !in_folder(other)) return call();
    Entry entry(record::bit(Kind::shared_memory) | record::bit(Kind::semaphore));
    const SlotRef slot = entry ? find_path(path) : SlotRef{};
    const SlotRef replaced = entry ? find_path(other) : SlotRef{};
    const int result = call();
    if (result == 0) {
        ended(slot);
        ended(replaced);
    }
    return result;
}

}  // namespace

HOOK(int, unlink, const char* path) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    return taking_away(AT_FDCWD, path, AT_FDCWD, nullptr, [&] { return real_unlink(path); });
}
HOOK(int, unlinkat, int dirfd, const char* path, int flags) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    return taking_away(dirfd, path, AT_FDCWD, nullptr, [&] { return real_unlinkat(dirfd, path, flags); });
}
HOOK(int, remove, const char* path) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    return taking_away(AT_FDCWD, path, AT_FDCWD, nullptr, [&] { return real_remove(path); });
}

// A rename takes both names: the old one is gone, and what the new one meant before is replaced.
HOOK(int, rename, const char* from, const char* to) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    return taking_away(AT_FDCWD, from, AT_FDCWD, to, [&] { return real_rename(from, to); });
}
HOOK(int, renameat, int from_dirfd, const char* from, int to_dirfd, const char* to) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    return taking_away(from_dirfd, from, to_dirfd, to, [&] { return real_renameat(from_dirfd, from, to_dirfd, to); });
}
HOOK(int, renameat2, int from_dirfd, const char* from, int to_dirfd, const char* to, unsigned flags) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    return taking_away(from_dirfd, from, to_dirfd, to, [&] { return real_renameat2(from_dirfd, from, to_dirfd, to, flags); });
}

// A link gives the object a name of the user's choice: it is theirs.
HOOK(int, link, const char* from, const char* to) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    return taking_away(AT_FDCWD, from, AT_FDCWD, nullptr, [&] { return real_link(from, to); });
}
HOOK(int, linkat, int from_dirfd, const char* from, int to_dirfd, const char* to, int flags) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    return taking_away(from_dirfd, from, AT_FDCWD, nullptr, [&] { return real_linkat(from_dirfd, from, to_dirfd, to, flags); });
}

}  // namespace leftover
