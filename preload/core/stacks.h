// The call stack of this thread, native and Python, as an entry of a record.
#pragma once

#include <cstdint>

#include "preload/core/mapping.h"

namespace leftover {

// Captures and enters the stack; its id, or 0 when it cannot be had now. Costs well under a
// microsecond for a stack seen before. Any context but a vforked child; errno kept.
record::ItemId capture_stack(Mapping& mapping);

// Whether the innermost Python frame of the stack just captured by this thread lies in tempfile.py.
bool innermost_frame_is_tempfile();

}  // namespace leftover
