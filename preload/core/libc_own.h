// Of our own what the C library has as well. A sanitizer's runtime puts itself in the place of libc's and
// would check what we do: ThreadSanitizer, which cannot see our atomics, told the user of races in the
// record.
//
// Each OWN is hidden, and named by the assembler only, so that libc's declarations and the compiler's own
// knowledge do not get in the way. Every use within the shim comes here, libunwind's and those that the
// compiler makes included. Any context.
#pragma once

#include <cstddef>

#include "preload/core/law.h"

#define OWN(RET, NAME, ...)                                                                            \
    extern "C" __attribute__((visibility("hidden"), used)) RET own_##NAME(__VA_ARGS__) __asm__(#NAME); \
    RET own_##NAME(__VA_ARGS__)
