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

// The owner of a Python file: interpreter (with its standard library), system (installed packages)
// or user.
Owner owner_of_python(std::string_view python_file);

// Whether a function that is compiled into the user's own module comes from a library: templates and
// inline functions of the C++ library and of system headers, Rust's core and std.
bool is_library_code(std::string_view function, std::string_view file);

// Whether the function is what the linker or compiler put before main.
bool is_start_code(std::string_view function);

// Whether the frame is only the import machinery at work.
bool is_import_machinery(const PythonFrame& frame);

}  // namespace leftover
