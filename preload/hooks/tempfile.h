// What CPython's tempfile makes by itself, with open and mkdir: known by its innermost Python frame.
#pragma once

#include "preload/hooks/named.h"

namespace leftover {

// Whether a call from that address may be CPython's: all that it costs programs without one. Any context.
bool may_be_tempfile(const void* caller);

// As intend_name, for a call that may be tempfile's; empty when it is not.
SlotRef intend_by_tempfile(Kind kind, std::string_view name);

}  // namespace leftover
