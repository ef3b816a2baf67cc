// Where a report goes: the template of the `report` option filled in.
#pragma once

#include <cstdint>
#include <string_view>

#include "preload/core/law.h"

namespace leftover::hand {

inline constexpr std::size_t path_size = 4096;

// Whether all percent signs of the text are followed by something that is known.
bool is_template(std::string_view text);

// Remembers the working folder; a relative path is meant from where the program started.
void remember_start_folder();

// Fills the template in for this process, which began at `started_ns`. Empty when it does not fit.
// A relative path stays one.
std::string_view fill_template(std::string_view text, std::uint64_t started_ns, char* buffer,
                               std::size_t size);

// Opens the folder that a relative path is meant from: `session_start`, if it is a path, else where
// this program image started, else, when those are gone, the working folder (AT_FDCWD). The caller
// closes what is not negative.
long open_start_folder(const char* session_start);

// Makes the folders of a path, as seen from `folder`, that are not there. Changes the text
// meanwhile.
void make_folders(long folder, char* path);

}  // namespace leftover::hand
