// --max-processes: the launcher's part. Who makes a process takes a place in a shared table (see
// preload/record/process_limit.h); the launcher makes the table and enters those who cannot do it
// themselves, because the shim is not in them or in who made them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "preload/record/process_limit.h"

namespace leftover::run {

class ProcessLimit {
public:
    // Makes the table in the session's folder. Throws std::runtime_error, one line for the user.
    ProcessLimit(const std::string& folder, std::uint32_t most);
    ~ProcessLimit();
    ProcessLimit(const ProcessLimit&) = delete;
    ProcessLimit& operator=(const ProcessLimit&) = delete;

    // The program, before it runs.
    void enter(pid_t program);

    // Enters our descendants that are not in it. To be called every now and then.
    void take_stock();

private:
    bool holds(std::uint64_t word) const;
    void put(std::uint64_t word);
    void drop_doubles();

    record::ProcessLimit* table_ = nullptr;
};

}  // namespace leftover::run
