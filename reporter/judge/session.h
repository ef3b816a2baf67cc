// The session that records belong to.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "reporter/judge/evidence.h"

namespace leftover::judge {

// The launcher's session.json in this folder; nothing when there is none. Throws std::runtime_error
// (one line) when it cannot be read or understood.
std::optional<SessionFacts> read_session(const std::filesystem::path& folder,
                                         const kernel::Roots& roots);

// The same of its text; `name` is for messages.
SessionFacts parse_session(const std::string& text, const std::string& name,
                           const kernel::Roots& roots);

// The session as the records of its processes tell it: from the root's, else the oldest. At least
// one is needed.
SessionFacts session_from(const std::vector<const records::RecordFile*>& records,
                          const kernel::Roots& roots);

// Fills in how the session ended and how long it took, as far as that is not known.
void complete_session(SessionFacts& facts, const std::vector<Source>& sources, const Census& census);

}  // namespace leftover::judge
