// The call stack of this thread, native and Python, as an entry of a record.
#pragma once

#include <cstdint>

#include "preload/core/mapping.h"

namespace leftover {

// Captures and enters the stack; its id, or 0 when it cannot be had now. Costs well under a
// microsecond for a stack seen before. Any context but a vforked child; errno kept.
record::ItemId capture_stack(Mapping& mapping);

// The same in two steps, for those who have no record yet: the native frames, at most `room`, innermost first;
// and an entry made of them. Contexts as above.
std::uint32_t capture_frames(void** frames, std::uint32_t room);
record::ItemId enter_frames(Mapping& mapping, void* const* frames, std::uint32_t count);

// Whether the innermost Python frame of the stack just captured by this thread lies in tempfile.py.
bool innermost_frame_is_tempfile();

}  // namespace leftover
