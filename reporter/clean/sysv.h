// System V objects.
#pragma once

#include "reporter/clean/journal.h"
#include "reporter/clean/users.h"

namespace leftover::clean {

// Removes the object of this leak, if it is the same one, nobody is attached to it or waits for it, and
// nobody who still lives was the last to work with it.
Outcome remove_sysv(const Leak& leak, const Users& users);

}  // namespace leftover::clean
