// Which mapped object an address lies in.
#pragma once

#include <cstdint>

#include "preload/core/mapping.h"

namespace leftover {

// The address as a frame of a module of this record, which is entered there at its first use, with its
// build id; the plain address where no object is mapped. Any context but a vforked child: the C
// library's look-up (_dl_find_object, glibc 2.35) takes no lock.
record::NativeFrame to_frame(Mapping& mapping, std::uintptr_t address);

// Objects were unloaded: what is known about addresses has to be looked up again. Raised by dlclose.
extern std::atomic<std::uint32_t> unload_epoch;

// Whether the address lies in CPython: its executable or its library. Contexts as above.
bool in_python(std::uintptr_t address);

// Where this shim's own code lies.
bool in_shim(std::uintptr_t address);

}  // namespace leftover
