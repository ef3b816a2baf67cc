// A folder with all that is below it.
#pragma once

#include <string>

#include "reporter/clean/journal.h"
#include "reporter/clean/users.h"

namespace leftover::clean {

// Removes the folder of this path and identity. No link is followed and no mount crossed. When
// something in it is somebody else's or in use, or cannot be looked at, nothing of it is touched.
Outcome remove_tree(const std::string& path, const kernel::FileId& id, const Users& users);

}  // namespace leftover::clean
