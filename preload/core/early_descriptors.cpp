#include "preload/core/early_descriptors.h"

namespace leftover {

using record::State;

alignas(64) constinit EarlyDescriptor early_descriptors[most_early] = {};

namespace {

bool take(EarlyDescriptor& entry, unsigned fd) {
    std::uint32_t word = entry.place.state.load(std::memory_order_relaxed);
    if ((word & 0xff) != static_cast<std::uint32_t>(State::free)) return false;
    const std::uint32_t claimed = (word & ~0xffU) | static_cast<std::uint32_t>(State::claimed);
    if (!entry.place.state.compare_exchange_strong(word, claimed, std::memory_order_acq_rel)) return false;
    entry.fd.store(fd, std::memory_order_relaxed);
    return true;
}

}  // namespace

EarlyDescriptor* claim_early(unsigned fd) {
    EarlyDescriptor* found = nullptr;
    each_early([&](EarlyDescriptor& entry) {
        if (found == nullptr && take(entry, fd)) found = &entry;
    });
    if (found != nullptr || fresh.early_taken.load(std::memory_order_relaxed) >= most_early) return found;
    const std::uint32_t at = fresh.early_taken.fetch_add(1, std::memory_order_relaxed);
    if (at >= most_early) return nullptr;
    EarlyDescriptor& entry = early_descriptors[at];
    entry.place.state.store(static_cast<std::uint32_t>(State::claimed), std::memory_order_relaxed);
    entry.fd.store(fd, std::memory_order_relaxed);
    fresh.early_valid.fetch_or(1U << at, std::memory_order_release);
    return &entry;
}

}  // namespace leftover
