// Carries one stream of the program's from a pipe to where it leads and into a file: the work of a
// helper process, as the launcher has to wait for other things.
#pragma once

#include <cstdint>
#include <optional>

#include "reporter/run/descriptor.h"
#include "reporter/run/helper_process.h"
#include "reporter/run/signals.h"

namespace leftover::run {

// What could not be written, and the last reason why (errno).
struct PumpLosses {
    std::uint64_t to_file = 0, onward = 0;  // bytes
    int file_error = 0, onward_error = 0;
    bool is_over = false;  // nobody has the pipe any more
};

class Pump {
public:
    // `in` is the pipe's end to read from; `onward` stays the caller's. Throws std::runtime_error, one
    // line for the user, when it cannot be started. When the reader of `onward` is gone the pipe is
    // closed, so that the program learns of it as it would alone.
    Pump(Descriptor in, int onward, int file);

    // When the program is gone: all that is in the pipe by now is carried on, then nothing goes
    // onward any more. What processes that are left over still write goes into the file alone, for
    // as long as they have the pipe; nobody waits for that. Nothing when a termination signal came
    // first, or the pump is gone.
    std::optional<PumpLosses> finish(const Signals& signals);

private:
    HelperProcess process_;
    Descriptor control_;
};

}  // namespace leftover::run
