// What the user (and leftover itself) has decided not to hear of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reporter/model/model.h"

namespace leftover::policy {

struct Suppression {
    enum class Where { name, frame, top };

    std::optional<Kind> kind;  // none: any
    Where where = Where::name;
    std::string glob;
    std::string reason;   // empty: none given
    std::string expires;  // YYYY-MM-DD, the last day (UTC) on which it counts; empty: for ever
    std::string source;   // "FILE:LINE"; empty: built in
    std::string text;     // as written, without its attributes

    // Of the built-in ones only. A glob on the command as one line; empty: any.
    std::string command;
    bool when_alone = false;  // only while no other process of its session is left over
};

// The entries of a file, one a line: kind:pattern [reason="..."] [expires=YYYY-MM-DD]. Throws
// std::runtime_error, one line with file and line number, when the file cannot be read or a line is
// not understood.
std::vector<Suppression> read_suppressions(const std::string& path);

// The same for a text; `source` names it in messages.
std::vector<Suppression> parse_suppressions(std::string_view text, const std::string& source);

// Helpers that end by themselves: when their work is done, when nobody has asked for anything for a
// while, or when what they serve is gone.
const std::vector<Suppression>& built_in_suppressions();

bool has_expired(const Suppression& suppression, std::string_view today);

// Today as YYYY-MM-DD, in UTC, so that a gate says the same everywhere.
std::string today();

// Today's findings as lines of a suppressions file, each below a comment that says what it is.
std::string suggest_suppressions(const Report& report, bool notes);

}  // namespace leftover::policy
