// Helpers of Python's multiprocessing that would complain about what is going to be cleaned up.
#pragma once

#include <cstddef>

#include "preload/core/law.h"

namespace leftover {

// The arguments of a program about to be executed, with an option more where it is CPython's (or
// loky's) resource or semaphore tracker and the session is cleaned up in the end; else `argv` itself. In
// memory of the caller's frame:
//
//   const QuietPlan quiet(argv);
//   argv = quiet.build(__builtin_alloca(quiet.bytes()));
//
// Any context, also vforked children.
class QuietPlan {
  public:
    explicit QuietPlan(char* const* argv);
    std::size_t bytes() const { return bytes_; }
    char* const* build(void* space) const;

  private:
    char* const* argv_;
    std::size_t count_ = 0;
    std::size_t option_ = 0;  // where `-c` stands; 0: nothing is to be done
    const char* module_ = nullptr;
    std::size_t module_size_ = 0;
    std::size_t bytes_ = sizeof(void*);
};

}  // namespace leftover
