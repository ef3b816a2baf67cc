// Tells signals that were sent to the whole process group from those sent to us alone.
//
// By kill() or from the terminal a signal can go to every process of a group: then the program, being
// in it, has got it too and must not get a second one. Whoever gets a signal cannot tell the two
// apart. A process of the same group that nobody knows of can: it only ever gets the former.
//
// Of a signal that is sent several times in a row each process may see fewer, and not the same number: those that
// are on their way together count as one. Where the sender is one of the session (`kill 0` in a script, a server
// that tells its workers) one that the decoy did not see any more is taken for the rest of what it did see, however
// late: nobody means leftover alone who has just told its group.
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
    bool group_got(const siginfo_t& signal);

    void end() { process_.end(); }

private:
    static constexpr std::size_t signal_count = NSIG;

    // What the decoy got of one signal.
    struct Got {
        std::atomic<std::uint32_t> count{0};
        std::array<std::atomic<pid_t>, 8> senders{};  // of the last ones, in the order of `count`
    };
    using Book = std::array<Got, signal_count>;

    // How often the decoy got it, what still waits for it included.
    // Waits until it has counted them, as long as it is `busy` with that.
    std::uint32_t sent(int signal, bool* busy = nullptr) const;
    void take_the_rest(int signal, std::uint32_t ours, bool busy);
    bool got_from(int signal, pid_t sender) const;

    Book* book_ = nullptr;  // shared with the decoy
    std::array<std::uint32_t, signal_count> seen_{};
    HelperProcess process_;
};

}  // namespace leftover::run
