// How a session's leftover ended, for whoever waits for it: a file in the session's folder that its
// leftover keeps locked while it lives. Who has it open can wait for the lock, and read how it ended
// also when the folder is gone by then.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "reporter/model/model.h"
#include "reporter/run/descriptor.h"

namespace leftover::run {

struct Outcome {
    Exit exit;               // of `leftover run`, which is not always the program's
    std::uint64_t left = 0;  // what is left over and was not cleaned up: errors and warnings
};

class OutcomeFile {
public:
    OutcomeFile() = default;

    // Makes it in the session's folder and locks it. Throws std::runtime_error, one line for the user.
    static OutcomeFile create(const std::string& folder);

    // Nothing when there is none.
    static std::optional<OutcomeFile> open(const std::string& folder);

    void write(const Outcome& outcome) const;

    // Blocks until the session's leftover is gone. Signals that are not blocked interrupt nothing but
    // this process.
    void wait() const;

    // The same, but at most so long. False when it is still there.
    bool wait_for(double seconds) const;

    // Nothing when leftover was killed before it could tell, or is still there.
    std::optional<Outcome> read() const;

private:
    explicit OutcomeFile(Descriptor file) : file_(std::move(file)) {}

    Descriptor file_;
};

}  // namespace leftover::run
