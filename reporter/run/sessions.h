// The sessions of this user, in whichever state folder they are.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reporter/run/session_file.h"
#include "reporter/run/session_folder.h"

namespace leftover::run {

struct SessionEntry {
    std::string id;      // the folder's name
    std::string folder;  // absolute
    SessionState state = SessionState::ended;
    std::optional<SessionFile> facts;  // nothing where no `leftover run` wrote any (by hand)
};

// All that are there, the oldest first; `remarks` gets a line for each state folder that cannot be
// trusted. What comes and goes while we look is left out. With `all_users` those of others too.
std::vector<SessionEntry> list_sessions(std::vector<std::string>& remarks, bool all_users = false);

// The one of that id: one that lives before one that has ended, else the latest. Nothing when there is
// none.
std::optional<SessionEntry> find_session(const std::string& id, std::vector<std::string>& remarks);

// Whether the pids that the session's leftover wrote down are numbers of our /proc.
bool has_our_pids(const SessionFile& facts);

// The same facts with the pids that its processes have here: of a session in a pid namespace below ours. Nothing
// when they do not show here.
std::optional<SessionFile> with_our_pids(const SessionFile& facts);

// What to say then to who wanted to `dump` or `stop` it.
std::string elsewhere_words(const std::string& id, std::string_view command);

}  // namespace leftover::run
