// Whose code a stack frame is: what the reader wrote, or what came with the system.
#pragma once

#include <string_view>

#include "reporter/model/model.h"

namespace leftover {

enum class Owner {
    shim,         // the hook itself
    runtime,      // C and C++ libraries, the loader
    interpreter,  // CPython and its standard library's extension modules
    system,       // other libraries of the system
    user,         // everything else
};

// The owner of a module, by its path.
Owner owner_of(std::string_view module_path);

// Whether a Python file is of the standard library, an installed package, or the interpreter's own.
bool is_library_file(std::string_view python_file);

// Whether the frame is only the import machinery at work.
bool is_import_machinery(const PythonFrame& frame);

}  // namespace leftover
