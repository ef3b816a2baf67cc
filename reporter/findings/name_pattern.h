// What is lasting about a name: /mp-ab12cd is /mp-* on every day and machine.
#pragma once

#include <string>
#include <string_view>

#include "reporter/model/model.h"

namespace leftover::findings {

// Who made up the random part of a name, which tells how long it is.
enum class Randomness {
    unknown,
    six,    // mkstemp and its kin: the last six characters before the ending
    eight,  // CPython's tempfile: likewise eight
};

// A glob that matches the name, and that the same creation has on another day and machine: pids,
// counters, ids and random parts are *, and so are the folders of a path. It is the same for
// every name that one template gives, but for templates that nobody could guess.
std::string name_pattern(Kind kind, std::string_view name, Randomness randomness);

}  // namespace leftover::findings
