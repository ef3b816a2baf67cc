// What is written once and stays: strings, modules and stacks, each found again by its content.
// Lock-free; any context but a vforked child.
#pragma once

#include <cstdint>
#include <string_view>

#include "preload/core/mapping.h"

namespace leftover {

// The item's id, or 0 when there is no room.
record::ItemId intern(Mapping& mapping, record::ItemType type, const void* payload, std::uint32_t size);
record::ItemId intern_string(Mapping& mapping, std::string_view text);

}  // namespace leftover
