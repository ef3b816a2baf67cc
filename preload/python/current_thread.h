// Which Python thread state is the calling thread's.
#pragma once

#include <cstdint>

#include "preload/python/interpreter.h"

namespace leftover::python {

struct CurrentThread {
    std::uintptr_t state = 0;  // PyThreadState; 0: this thread runs no Python
    bool holds_gil = false;    // nothing can be taken away from under it
};

// For an initialised interpreter. Any context; errno is kept.
//
// A thread that runs a subinterpreter is known by that one. Where the kernel refuses
// process_vm_readv and the thread does not hold the GIL, it is, up to 3.11, known by its state in
// the main interpreter instead, whose frames are the outer ones of the same thread, and in 2.7 not
// at all.
CurrentThread find_current_thread(const Interpreter& interpreter) noexcept;

}  // namespace leftover::python
