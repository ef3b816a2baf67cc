// What is behind frames.h, for tests and for those who want one particular way.
#pragma once

#include <cstddef>

#include "preload/python/frames.h"
#include "preload/python/interpreter.h"

namespace leftover::python {

// What detect() has found; null before. Any context.
const Interpreter* detected() noexcept;

// capture() of an interpreter that need not be the detected one; errno may change. Without a layout
// it takes the C API.
std::size_t capture_from(const Interpreter& interpreter, FrameSink sink, void* context,
                         std::size_t max) noexcept;

}  // namespace leftover::python
