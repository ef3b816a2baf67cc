// Removing what outlives processes: named objects, System V objects, files and folders.
#pragma once

#include <vector>

#include "reporter/clean/journal.h"

namespace leftover::clean {

// Removes each, if it is still the one that the report tells of and nobody uses it, and enters how it
// went. To be called when the session has no process any more: whoever is found to use one is none of it.
void remove_names(const std::vector<Leak*>& leaks, Journal& journal);

}  // namespace leftover::clean
