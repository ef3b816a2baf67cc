// A name in a file system, held so that its folder cannot be exchanged under it, and the file that it
// resolved to.
#pragma once

#include <sys/stat.h>

#include <string>

#include "reporter/kernel/file.h"
#include "reporter/run/descriptor.h"

namespace leftover::clean {

class HeldName {
public:
    // Nothing is held when the folder is not there (any more).
    explicit HeldName(const std::string& path);

    bool is_held() const { return folder_.is_open(); }

    // Keeps other cleaners away for as long as this lives: one at a time works in a folder. Those that
    // wait must not have the file itself open, or the other one would take them for users of it. Who
    // keeps a lock on a folder for long is no cleaner, and not waited for.
    void lock_folder();

    // Whether the name is, now, that of this file.
    bool is(const kernel::FileId& id) const;

    // Opens it for reading, without following a link or waiting for anybody. Not open: see errno.
    run::Descriptor open(int more_flags = 0) const;

    // 0 or errno. `flags`: AT_REMOVEDIR.
    int unlink(int flags = 0) const;

private:
    std::string name_;
    run::Descriptor folder_, lock_;
};

}  // namespace leftover::clean
