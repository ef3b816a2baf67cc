// At most so many sessions at once: the door through which those with --max-sessions come in.
//
// A lock on the state folder itself lets one at a time count and make its session's folder. Who waits
// draws a ticket, a locked file in STATE/.queue, and sleeps on the lock of the one before him; only the
// first watches the sessions. A lock ends with its holder, so nobody who is killed keeps others waiting.
#pragma once

#include <string>

#include "reporter/run/descriptor.h"
#include "reporter/run/signals.h"

namespace leftover::run {

class Admission {
public:
    // Returns when another session may start; until this object is gone nobody else may. Throws
    // std::runtime_error, one line for the user, when there are `most` already and `wait` is not set.
    // Signals take effect while it waits.
    Admission(const std::string& state_folder, unsigned most, bool wait, const Signals& signals);
    ~Admission();
    Admission(const Admission&) = delete;
    Admission& operator=(const Admission&) = delete;

private:
    struct Ticket {
        std::string path;
        Descriptor lock;
    };

    void enqueue();
    void wait_for_turn();

    std::string state_;
    Descriptor door_;
    Ticket ticket_;
};

}  // namespace leftover::run
