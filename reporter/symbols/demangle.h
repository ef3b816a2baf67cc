#pragma once

#include <string>

namespace leftover::symbols {

// The name of a function as its author knows it: demangled, without the version of a dynamic symbol
// (@GLIBC_2.2.5) and without what compilers append to parts and clones (.cold, .constprop.0), which
// change from one build to the next.
std::string demangle(const char* symbol);

}  // namespace leftover::symbols
