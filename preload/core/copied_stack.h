// A stack of another record that this process has mapped, entered into its own.
#pragma once

#include "preload/core/mapping.h"

namespace leftover {

// The id in `to` of what `id` is in `from`, the record of a process that this one was forked from, so that
// the same code lies at the same addresses; 0 when it is none. Any context but a vforked child.
record::ItemId copy_stack(const Mapping& from, record::ItemId id, Mapping& to);

}  // namespace leftover
