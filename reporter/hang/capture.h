// One moment of each thread of some processes: what it waits for, its stacks.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "reporter/hang/images.h"
#include "reporter/hang/python_stack.h"
#include "reporter/hang/stopped_thread.h"
#include "reporter/hang/waits.h"
#include "reporter/model/model.h"

namespace leftover::hang {

// The memory around the word that a futex waits for, as it was then.
struct Surroundings {
    static constexpr std::size_t before = 8;
    static constexpr std::size_t size = 48;
    std::array<unsigned char, size> bytes{};
    bool is_known = false;
};

struct CapturedThread {
    int tid = 0;
    int inner_tid = 0;  // in its own pid namespace
    std::string name;
    char state = '?';  // before it was stopped for this
    StoppedThread::Outcome outcome = StoppedThread::Outcome::gone;
    Wait wait;
    Surroundings around;
    std::uint64_t thread_pointer = 0, sp = 0;
    std::uint64_t python_state = 0, end_lock = 0;
    std::vector<std::uint64_t> native;  // addresses, innermost first
    std::vector<PythonFrame> python;
};

struct CapturedProcess {
    int pid = 0;
    bool is_inner = false;  // in another pid namespace than we are
    std::vector<std::string> command;
    int tracer = 0;           // somebody else traces it
    bool is_refused = false;  // we may not look into it
    std::unique_ptr<Images> images;
    std::optional<Python> python;
    std::vector<CapturedThread> threads;  // the first one first
};

// Stops one thread after the other, each for about a millisecond. A process that is gone is left out.
// To be called in a thread that ends afterwards: what could not be let go of is let go of then.
std::vector<CapturedProcess> capture(const std::vector<int>& pids);

}  // namespace leftover::hang
