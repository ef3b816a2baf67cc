// What was found in debug information, kept from one run to the next.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "reporter/symbols/place.h"

namespace leftover::symbols {

using PlaceMap = std::unordered_map<std::uint64_t, std::vector<Place>>;  // by offset in the module

// What is kept of the module with that build id (hex); nothing when there is none, or it is not the
// user's own file, or not readable.
PlaceMap read_cache(const std::string& folder, const std::string& build_id);

// Keeps it, as a whole; makes the folder. What cannot be written is not: nobody is told.
void write_cache(const std::string& folder, const std::string& build_id, const PlaceMap& places);

}  // namespace leftover::symbols
