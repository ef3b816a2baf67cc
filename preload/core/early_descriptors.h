// The descriptors that a process has open while it has no record: in memory, close together, because each page
// that a process touches first costs more than all that is noted there. They move to the record when it is opened.
// Any context but a vforked child.
#pragma once

#include "preload/core/fresh.h"

namespace leftover {

inline constexpr std::uint32_t most_early = 16;
inline constexpr std::uint32_t early_frames = 24;

struct EarlyDescriptor {
    record::Descriptor place;
    std::atomic<std::uint32_t> fd;
    std::uint32_t frame_count;
    void* frames[early_frames];  // native ones, innermost first
};

// What lies here of a parent's is not ours: only those whose bit is set in `fresh.early_valid`.
extern EarlyDescriptor early_descriptors[most_early];

// An entry that is nobody else's, in state `claimed`; null when there is none.
EarlyDescriptor* claim_early(unsigned fd);

inline bool is_early(const record::Descriptor& place) {
    const auto* const at = reinterpret_cast<const EarlyDescriptor*>(&place);
    return at >= early_descriptors && at < early_descriptors + most_early;
}

// Calls `visit(EarlyDescriptor&)` for each entry that is or was in use.
template <class Visit>
void each_early(Visit visit) {
    for (std::uint32_t left = fresh.early_valid.load(std::memory_order_acquire); left != 0; left &= left - 1) {
        visit(early_descriptors[__builtin_ctz(left)]);
    }
}

}  // namespace leftover
