// A temporary folder with all that is below it. Any context.
#pragma once

#include "preload/core/law.h"
#include "preload/hand/cleanup.h"
#include "preload/hand/findings.h"
#include "preload/hand/users.h"

namespace leftover::hand {

// No link is followed and no mount crossed. When something in it is somebody else's or in use, or cannot
// be looked at, nothing of it is touched.
Attempt remove_folder(const Leak& leak, const Users& users);

// Another cleaner that is at this file is waited for, a little. False: it is still at it.
bool keep_cleaners_away(long fd);

}  // namespace leftover::hand
