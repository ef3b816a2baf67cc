// Folders: temporary ones are those that CPython's tempfile makes, and those under a name from tempnam and
// its kin.
#include <fcntl.h>
#include <sys/stat.h>

#include "preload/hooks/given_names.h"
#include "preload/hooks/paths.h"
#include "preload/hooks/tempfile.h"
#include "preload/hooks/unseen.h"

namespace leftover {

namespace {

template <class Make>
int make_folder(int dirfd, const char* path, const void* caller, Make make) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    if ((options.kinds & record::bit(Kind::temporary_directory)) == 0) return make();
    const bool by_python = may_be_tempfile(caller);
    if (!by_python && !names_were_given()) return make();
    Entry entry(Kind::temporary_directory);
    if (!entry) return make();
    const FullPath full(dirfd, path);
    if (full.empty()) return make();
    const SlotRef given = find_given_name(full.view());
    if (!given && !by_python) return make();
    const SlotRef slot = given ? intend_name(Kind::temporary_directory, full.view())
                               : intend_by_tempfile(Kind::temporary_directory, full.view());
    const int result = make();
    if (result == 0) {
        confirm_name(slot, full.c_str());
        drop_intent(given);
    } else {
        drop_intent(slot);
    }
    return result;
}

}  // namespace

HOOK(int, mkdir, const char* path, mode_t mode) {
    return make_folder(AT_FDCWD, path, __builtin_return_address(0), [&] { return real_mkdir(path, mode); });
}

HOOK(int, mkdirat, int dirfd, const char* path, mode_t mode) {
    return make_folder(dirfd, path, __builtin_return_address(0), [&] { return real_mkdirat(dirfd, path, mode); });
}

int mkdir_unseen(const char* path, mode_t mode) { return real_mkdir(path, mode); }

}  // namespace leftover
