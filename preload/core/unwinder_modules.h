// Going through all modules, as dl_iterate_phdr does for everybody else. That name is, within this library,
// libunwind's (unwinder_modules.cpp).
#pragma once

#include <link.h>

#include <cstddef>

#include "preload/core/law.h"

namespace leftover {

// libc's, which takes a lock of the loader's. Contexts as for python::detect().
int each_module(int (*visit)(dl_phdr_info*, std::size_t, void*), void* data);

}  // namespace leftover
