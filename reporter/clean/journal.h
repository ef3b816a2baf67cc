// What the cleaner did: into the report, and one line each for whoever reads along.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "reporter/clean/clean.h"

namespace leftover::clean {

enum class Result { done, gone, in_use, failed };

// How an attempt at one item went. `gone`: somebody else had been faster.
struct Outcome {
    Result result = Result::done;
    std::string why;          // in_use, failed: one short clause
    std::uint64_t bytes = 0;  // of memory that it freed
};

Outcome done(std::uint64_t bytes = 0);
Outcome gone();
Outcome in_use(std::string why);
Outcome failed(std::string why);
Outcome failed_by_errno(std::string_view what, int error);

class Journal {
public:
    Journal(Report& report, const Options& options);

    // Enters an action whose end the item's status says. `action`: terminate, kill, unlink or remove.
    void enter(Leak& leak, std::string_view action, const Outcome& outcome);

    // The same for an action that another one will follow, such as TERM before KILL.
    void enter_step(const Leak& leak, std::string_view action, const Outcome& outcome);

    // A helper that tidies up has done so in this cleanup: what is gone, it took away.
    void note_helper() { helped_ = true; }
    bool is_helped() const { return helped_; }

    // Enters how long it all took.
    void close();

private:
    void add(const Leak& leak, std::string_view action, const Outcome& outcome);

    Report& report_;
    const Options& options_;
    std::chrono::steady_clock::time_point begin_;
    bool helped_ = false;
};

}  // namespace leftover::clean
