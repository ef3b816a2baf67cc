// Ending as the program did.
#pragma once

namespace leftover::run {

// Dies of this signal, without a core dump: the program has left one if there is to be one. Where
// that is not possible, as pid 1, exits with 128 + signal.
[[noreturn]] void die_of(int signal);

// The same for a signal handler: what is buffered is lost.
[[noreturn]] void die_at_once(int signal);

// Descriptors 0, 1 and 2 that are closed get a placeholder which the program does not inherit: else
// the next file to be opened would take their number, and messages would be written into it.
void hold_standard_descriptors();

}  // namespace leftover::run
