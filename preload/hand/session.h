// The session's folder, as its first process makes it and its last one removes it.
#pragma once

#include "preload/core/law.h"

namespace leftover::hand {

// Makes the session's id and its folder in the state folder, and fills in options.session, folder,
// root_pid and root_ticks. False when there is no folder to be had. At the start of the process.
bool make_session();

// Removes the folder with all records in it. What is not ours stays, and the folder with it.
void remove_session();

// The same if nothing but one record is there, which must be ours; else false, and nothing is removed.
bool remove_session_of_one();

}  // namespace leftover::hand
