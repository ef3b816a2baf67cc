// The CPython of this process: what it exports of use to us, and how it is to be read.
#pragma once

#include <cstdint>

#include "preload/python/c_api.h"
#include "preload/core/elf_symbols.h"
#include "preload/python/layouts.h"
#include "preload/python/text.h"

namespace leftover::python {

struct Interpreter {
    const Layout* layout = nullptr;  // null: this build is not in the table, only the API will do
    Types types;
    CApi api;

    // Py_IsInitialized: 0 also from the start of finalisation on.
    int (*is_initialized)() = nullptr;
    // _Py_IsFinalizing, since 3.13 without underscore. Null where it is not exported.
    int (*is_finalizing)() = nullptr;
    // PyGILState_GetThisThreadState. No lock, no allocation, no errno, but for 2.7
    // (current_thread.cpp).
    void* (*this_thread)() = nullptr;
    // _PyThreadState_UncheckedGet, since 3.13 PyThreadState_GetUnchecked; 2.7 has the variable
    // only.
    void* (*current)() = nullptr;
    void* const* current_variable = nullptr;
    // PyInterpreterState_Head, PyInterpreterState_Main. The latter is null in 2.7 and 3.6.
    void* (*interpreters)() = nullptr;
    void* (*main_interpreter)() = nullptr;

    void* current_thread() const noexcept {
        if (current != nullptr) return current();
        return current_variable != nullptr ? *current_variable : nullptr;
    }
};

// Whether the module that `symbols` belongs to is a CPython.
bool is_python(const ElfSymbols& symbols) noexcept;

// False when it is of no use to us, as are debug builds of 2.7. `executable`: where the loader has
// put those variables of a library that a program linked to it refers to (copy relocations), so it
// goes first. Calls Py_GetVersion (up to 3.10), which formats into static memory: not in a signal
// handler.
bool read_interpreter(const ElfSymbols& executable, const ElfSymbols& module,
                      Interpreter& interpreter) noexcept;

}  // namespace leftover::python
