// Processes that languages' libraries keep to tidy up after the others.
#pragma once

#include <string>
#include <vector>

namespace leftover::clean {

// Whether this is the command line of a helper that ends by itself, and removes what it knows of,
// when the last process that uses it has ended: CPython's resource and semaphore trackers, loky's,
// PyTorch's shared memory manager.
bool is_tidying_helper(const std::vector<std::string>& command);

}  // namespace leftover::clean
