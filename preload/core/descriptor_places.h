// The places of descriptors in the process's own record, or in memory until there is one, by their numbers: for the
// books of them alone (descriptors.h, handed.h). Any context.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string_view>

#include "preload/core/early_descriptors.h"
#include "preload/core/sys.h"
#include "preload/core/text.h"

namespace leftover::places {

using record::Descriptor;

constexpr std::uint32_t word_of(std::uint32_t generation, record::State state) {
    return (generation & 0xffffff) << 8 | static_cast<std::uint32_t>(state);
}
inline bool is_live(std::uint32_t word) { return (word & 0xff) == static_cast<std::uint32_t>(record::State::live); }
inline bool is_live(const Descriptor& place) { return is_live(place.state.load(std::memory_order_acquire)); }

// Marks a live one as closed. False when it is not live, or another thread was faster.
inline bool take_out(Descriptor& place) {
    std::uint32_t word = place.state.load(std::memory_order_acquire);
    while (is_live(word)) {
        const std::uint32_t closed = word_of((word >> 8) + 1, record::State::free);
        if (place.state.compare_exchange_weak(word, closed, std::memory_order_acq_rel)) return true;
    }
    return false;
}

// The live one of that number that is in memory; null when there is none.
inline Descriptor* early_place_of(unsigned fd) {
    Descriptor* found = nullptr;
    each_early([&](EarlyDescriptor& entry) {
        if (entry.fd.load(std::memory_order_relaxed) == fd && is_live(entry.place)) found = &entry.place;
    });
    return found;
}

// The place of that number; null when there is none.
inline Descriptor* place_of(unsigned fd) {
    const std::uint32_t chunk = record::descriptor_chunk_of(fd);
    if (chunk >= record::descriptor_chunks) return nullptr;
    Descriptor* const first = fresh.descriptors[chunk].load(std::memory_order_acquire);
    return first != nullptr ? first + (fd - record::descriptor_chunk_first(chunk)) : early_place_of(fd);
}

// Calls `visit(fd, Descriptor&)` for each that is open, from `first` to `last`.
template <class Visit>
void each_open(unsigned first, unsigned last, Visit visit) {
    each_early([&](EarlyDescriptor& entry) {
        const std::uint32_t fd = entry.fd.load(std::memory_order_relaxed);
        if (first <= fd && fd <= last && is_live(entry.place)) visit(fd, entry.place);
    });
    for (std::uint32_t chunk = 0; chunk < record::descriptor_chunks; ++chunk) {
        Descriptor* const table = fresh.descriptors[chunk].load(std::memory_order_acquire);
        if (table == nullptr) continue;
        const std::uint32_t begin = record::descriptor_chunk_first(chunk);
        const std::uint32_t end = begin + record::descriptor_chunk_capacity(chunk);
        for (std::uint32_t fd = first > begin ? first : begin; fd < end && fd <= last; ++fd) {
            if (is_live(table[fd - begin])) visit(fd, table[fd - begin]);
        }
    }
}

// What the kernel says of a descriptor.
inline bool is_open(unsigned fd) { return !sys::failed(sys::call(SYS_fcntl, fd, F_GETFD)); }
inline bool survives_exec(unsigned fd) {
    const long flags = sys::call(SYS_fcntl, fd, F_GETFD);
    return !sys::failed(flags) && (flags & FD_CLOEXEC) == 0;
}

// What /proc shows; empty when it cannot.
inline std::string_view target_of(unsigned fd, char* buffer, std::size_t size) {
    char link[40];
    (Text(link, sizeof link) << "/proc/self/fd/").number(fd);
    const long got = sys::readlink(link, buffer, size);
    return got > 0 ? std::string_view(buffer, static_cast<std::size_t>(got)) : std::string_view{};
}

// Tells most files from each other, by whatever name; never 0.
inline std::uint16_t file_of(unsigned fd) {
    struct stat its;
    if (sys::failed(sys::fstat(static_cast<int>(fd), &its))) return 1;
    return static_cast<std::uint16_t>(mix(its.st_dev, its.st_ino) | 1);
}

}  // namespace leftover::places
