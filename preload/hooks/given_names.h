// Names that tempnam and its kin gave the program, which makes the file by itself, if at all. Each is an
// intent that is never confirmed: at the end a file of that name is the one. The last 1,024 are kept so; of
// older ones only those of which there is a file by then.
#pragma once

#include <string_view>

#include "preload/hooks/named.h"

namespace leftover {

// Any context but a vforked child.
void note_given_name(std::string_view path);

// Whether this process got any.
inline bool names_were_given() { return fresh.names_given.load(std::memory_order_relaxed) != 0; }

// The slot of a name given but not known to be made.
SlotRef find_given_name(std::string_view path);

}  // namespace leftover
