// What makes a leak the same leak on another day, on another machine and after an unrelated edit.
#pragma once

#include <string>

#include "reporter/findings/frames.h"
#include "reporter/model/model.h"

namespace leftover::findings {

// Gives every leak that has none its fingerprint: "v1:" and 16 hexadecimal digits, made from its
// kind, the pattern of its name and the chain of the user's functions that created it. No address,
// pid, line number, folder or random part of a name is in it, nor how the interpreter, its standard
// library and the C library did it. Call it when frames have got their names (symbolize).
void fingerprint(Report& report);

// The same for a place where a program hangs: made from the chain of the user's functions there.
std::string hang_fingerprint(const FrameReader& reader, const Stack& stack);

// The pattern of the leak's name, given its stack (null: not known).
std::string pattern_of(const Leak& leak, const Stack* stack);

}  // namespace leftover::findings
