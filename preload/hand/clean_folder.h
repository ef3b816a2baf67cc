// A temporary folder with all that is below it. Any context.
#pragma once

#include <string_view>

#include "preload/core/law.h"
#include "preload/hand/cleanup.h"
#include "preload/hand/findings.h"
#include "preload/hand/users.h"

namespace leftover::hand {

// No link is followed and no mount crossed. When something in it is somebody else's or in use, or cannot
// be looked at, nothing of it is touched.
Attempt remove_folder(const Leak& leak, const Users& users);

// Keeps other cleaners away from the folder that a path lies in, for as long as one of these lives: one
// at a time works there. Those that wait must not have the file itself open, or the other one would take
// them for users of it. Who keeps a lock on a folder for long is no cleaner, and not waited for.
class FolderLock {
public:
    explicit FolderLock(std::string_view path);
    ~FolderLock();
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;

private:
    long fd_ = -1;
};

}  // namespace leftover::hand
