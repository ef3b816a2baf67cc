// System V objects. Any context.
#pragma once

#include "preload/core/law.h"
#include "preload/hand/cleanup.h"
#include "preload/hand/findings.h"
#include "preload/hand/users.h"

namespace leftover::hand {

// Removes the object of this leak, if it is the same one, nobody else is attached to it or waits for it,
// and nobody who still lives was the last to work with it.
Attempt remove_sysv(const Leak& leak, const Users& users);

}  // namespace leftover::hand
