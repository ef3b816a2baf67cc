// What is behind frames.h, for tests and for those who want one particular way.
#pragma once

#include <atomic>
#include <cstddef>

#include "preload/python/frames.h"
#include "preload/python/interpreter.h"

namespace leftover::python {

extern std::atomic<const Interpreter*> active;

// What detect() has found; null before. Any context.
inline const Interpreter* detected() noexcept { return active.load(std::memory_order_acquire); }

// capture() of an interpreter that need not be the detected one; errno may change. Without a layout
// it takes the C API.
std::size_t capture_from(const Interpreter& interpreter, FrameSink sink, void* context,
                         std::size_t max) noexcept;

}  // namespace leftover::python
