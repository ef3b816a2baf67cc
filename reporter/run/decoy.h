// Tells signals that were sent to the whole process group from those sent to us alone.
//
// By kill() or from the terminal a signal can go to every process of a group: then the program, being
// in it, has got it too and must not get a second one. Whoever gets a signal cannot tell the two
// apart. A process of the same group that nobody knows of can: it only ever gets the former.
#pragma once

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>

#include "reporter/run/helper_process.h"

namespace leftover::run {

class Decoy {
public:
    Decoy();
    ~Decoy();
    Decoy(const Decoy&) = delete;
    Decoy& operator=(const Decoy&) = delete;

    // After we got this signal: whether our group did, too.
    bool group_got(int signal);

    void end() { process_.end(); }

private:
    static constexpr std::size_t signal_count = NSIG;
    using Counts = std::array<std::atomic<std::uint32_t>, signal_count>;

    // How often the decoy got it, what still waits for it included.
    std::uint32_t sent(int signal) const;

    Counts* counts_ = nullptr;  // shared with the decoy
    std::array<std::uint32_t, signal_count> seen_{};
    HelperProcess process_;
};

}  // namespace leftover::run
