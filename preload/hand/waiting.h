// The grace window: what a program leaves behind for a moment is no leak.
#pragma once

#include <cstdint>

#include "preload/core/law.h"
#include "preload/hand/evidence.h"

namespace leftover::hand {

// Waits until no other process of the session lives, at most for the grace window; for those whose
// record says that they ended, and which are about to, at least a second. Returns at once when
// there is none. Uses and clears the evidence. Any context but a vforked child.
void wait_for_others(Evidence& evidence);
// The same for those only that are about to end.
void wait_for_ending(Evidence& evidence);

// Whether another process of the session lives that will end after this one: of several that are
// about to end, the one that said so last is the last. Uses and clears the evidence.
bool others_live(Evidence& evidence);

}  // namespace leftover::hand
