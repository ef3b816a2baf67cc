// The CPython of another process, 3.6 to 3.13 (and 2.7 where it can be): which version it is, the state
// of each of its threads, and their frames; by the layouts of preload/python.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "preload/python/layouts.h"
#include "preload/python/text.h"
#include "reporter/hang/images.h"
#include "reporter/model/model.h"

namespace leftover::hang {

class Python {
public:
    // Nothing when the process runs none, or one that is not in the table.
    static std::optional<Python> find(Images& images);

    // The PyThreadState of the thread with this thread pointer, 0 if it has none. Python keeps it in
    // one of pthread_setspecific's places, which lie in the C library's own structure of the thread.
    std::uint64_t state_of(Memory& memory, std::uint64_t thread_pointer) const;

    // Innermost first. Of a thread that is stopped.
    std::vector<PythonFrame> frames(Memory& memory, std::uint64_t state, std::size_t most) const;

    // Whether a variable of the interpreter's own lies there: of its locks, that is the GIL.
    bool is_runtime(std::uint64_t address) const;

    // Up to 3.12, the semaphore of the lock that is released when this thread ends, which is what
    // Thread.join waits for; 0: none.
    std::uint64_t end_lock(Memory& memory, std::uint64_t state) const;

    const python::Layout& layout() const { return *layout_; }

private:
    const python::Layout* layout_ = nullptr;
    python::Types types_;
    Symbol runtime_;
};

}  // namespace leftover::hang
