// Stacks that were unwound before, found again without unwinding. A walk is remembered as the places on the
// stack, relative to where it began, at which the return addresses lay, and the frame pointers that led to
// them. Where all of them hold what they held, unwinding would go the very same way: each frame follows
// from the one before it. That costs a nanosecond a frame, no lock, and what is remembered of one thread
// holds for all, and for all processes that were forked after share_walks().
//
// Any context. x86_64 only: elsewhere nothing is ever known.
#pragma once

#include <atomic>
#include <cstdint>

#include "preload/core/law.h"

namespace leftover {

struct Walk {
    struct Place {
        std::int32_t offset;  // from where the frame it began in ends
        bool relative;         // a frame pointer: `value` is an offset as well
        std::uint64_t value;
    };
    std::uint64_t caller;  // return address
    std::uint32_t epoch;   // see unload_epoch, which siblings never have in common once they go separate ways
    std::uint16_t places;
    std::uint16_t frames;
    std::uint64_t hash;                // of the frames, as the one who remembers it has it
    std::atomic<std::uint64_t> stack;  // for his use

    Place* places_to_fill() { return reinterpret_cast<Place*>(this + 1); }
    const Place* first_place() const { return reinterpret_cast<const Place*>(this + 1); }
    // Return addresses from the hook's own frame on.
    void* const* first_frame() const { return reinterpret_cast<void* const*>(first_place() + places); }
};

// The walk that unwinding from the function with this frame (__builtin_frame_address(0)) would take; null
// when none is known.
Walk* find_walk(const void* frame);

// Remembers how unwinding from there goes, which must have given these frames, the last ones of those from
// there on, just now. Unwinds once more, twenty times as slowly: worth it the second time the same stack is
// seen. Between begin_unwind() and end_unwind().
void remember_walk(const void* frame, void* const* frames, std::uint32_t count, std::uint64_t hash);

// Whether a stack of this hash was asked about before: not always when it was, and never when it was not.
bool seen_before(std::uint64_t hash);

// For a process about to fork: it and its children remember together.
void share_walks();

}  // namespace leftover
