// The state folder: where every session of this user has a folder of its own.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace leftover::run {

// What decides where it is: two variables of the environment, empty where not set, and the user.
struct StatePlace {
    std::string state_dir;    // LEFTOVER_STATE_DIR
    std::string runtime_dir;  // XDG_RUNTIME_DIR
    uid_t user = 0;

    static StatePlace of_this_process();
};

// The folder that new sessions go into, made if it is missing. Absolute, without symbolic links.
// Throws std::runtime_error, one line for the user, when it is not a folder that this user alone can
// get at: what is in it decides what is reported and, later, cleaned up.
std::string state_folder(const StatePlace& place = StatePlace::of_this_process());

// The same for sessions that are to be found later: always /tmp/leftover-UID, which outlasts a login
// and is where every reader looks.
std::string lasting_state_folder(const StatePlace& place = StatePlace::of_this_process());

// Every folder that sessions of this user may be in, whether it exists or not; for readers.
std::vector<std::string> state_folders(const StatePlace& place = StatePlace::of_this_process());

// Those of them that are there and this user's alone, each once; for others that are there, why not,
// a line each in `refused`.
std::vector<std::string> usable_state_folders(
    std::vector<std::string>& refused, const StatePlace& place = StatePlace::of_this_process());

// Those of every user who has state where it is kept by default; for root.
std::vector<StatePlace> places_of_all_users();

}  // namespace leftover::run
