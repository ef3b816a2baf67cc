// The CPython of this process: what it exports of use to us, and how it is to be read.
#pragma once

#include <cstdint>

#include "preload/python/c_api.h"
#include "preload/python/elf_symbols.h"
#include "preload/python/layouts.h"
#include "preload/python/text.h"

namespace leftover::python {

struct Interpreter {
    const Layout* layout = nullptr;  // null: this build is not in the table, only the API will do
    Types types;
    CApi api;

    // Those that have a layout export all of these, unless noted, and none of them locks, allocates
    // or sets errno, but for this_thread in 2.7.
    int (*is_initialized)() =
        nullptr;                       // Py_IsInitialized: 0 also from the start of finalisation on
    int (*is_finalizing)() = nullptr;  // may be null
    void* (*this_thread)() = nullptr;  // PyGILState_GetThisThreadState
    void* (*current)() = nullptr;      // _PyThreadState_UncheckedGet; not in 2.7
    void* const* current_variable = nullptr;  // _PyThreadState_Current; only 2.7 and 3.6
    void* (*interpreters)() = nullptr;        // PyInterpreterState_Head
    void* (*main_interpreter)() = nullptr;    // PyInterpreterState_Main; not in 2.7 and 3.6

    void* current_thread() const noexcept {
        if (current != nullptr) return current();
        return current_variable != nullptr ? *current_variable : nullptr;
    }
};

// Whether the module that `symbols` belongs to is a CPython.
bool is_python(const ElfSymbols& symbols) noexcept;

// False when it is of no use to us, as are debug builds of 2.7. `executable`: where the loader has put those variables of a
// library that a program linked to it refers to (copy relocations), so it goes first. Calls
// Py_GetVersion (up to 3.10), which formats into static memory: not in a signal handler.
bool read_interpreter(const ElfSymbols& executable, const ElfSymbols& module,
                      Interpreter& interpreter) noexcept;

}  // namespace leftover::python
