#include "preload/core/handed.h"

#include "preload/core/arena.h"
#include "preload/core/descriptor_places.h"
#include "preload/core/descriptors.h"
#include "preload/core/mapping.h"
#include "preload/core/proc_self.h"
#include "preload/core/process.h"
#include "preload/core/sys.h"

namespace leftover {

using record::ChunkType;
using record::Descriptor;
using record::DescriptorChunk;
using record::Header;

namespace {

record::Counter& counter_of(const HeldRecord& held) {
    return held.header->counters[static_cast<std::size_t>(record::Kind::file_descriptor)];
}

void take_out(const HeldRecord& held, Descriptor& place) {
    if (places::take_out(place)) counter_of(held).released.fetch_add(1, std::memory_order_relaxed);
}

// Calls `visit(fd, Descriptor&)` for each that is open, from `first` to `last`.
template <class Visit>
void each_in(const HeldRecord& held, unsigned first, unsigned last, Visit visit) {
    char* const base = reinterpret_cast<char*>(held.header);
    for (const record::ChunkEntry& chunk : held.header->chunks) {
        if (chunk.type.load(std::memory_order_acquire) != static_cast<std::uint32_t>(ChunkType::descriptors)) continue;
        if (chunk.offset > held.size || chunk.size > held.size - chunk.offset) continue;
        auto* const head = reinterpret_cast<DescriptorChunk*>(base + chunk.offset);
        if (chunk.size < sizeof *head || head->capacity > (chunk.size - sizeof *head) / sizeof(Descriptor)) continue;
        auto* const table = reinterpret_cast<Descriptor*>(head + 1);
        const unsigned end = head->first + head->capacity;
        for (unsigned fd = first > head->first ? first : head->first; fd < end && fd <= last; ++fd) {
            if (places::is_live(table[fd - head->first])) visit(fd, table[fd - head->first]);
        }
    }
}

template <class Visit>
void each_handed(unsigned first, unsigned last, Visit visit) {
    const std::uint32_t count = fresh.held_count.load(std::memory_order_acquire);
    for (std::uint32_t i = 0; i < count; ++i) {
        each_in(fresh.held[i], first, last, [&](unsigned fd, Descriptor& place) { visit(fresh.held[i], fd, place); });
    }
}

void mark(Descriptor& place, bool handed) {
    place.flags = static_cast<std::uint8_t>(handed ? place.flags | record::handed_on : place.flags & ~record::handed_on);
}

// Whether the program that follows can keep the books of our record, as whoever we are by now.
bool can_be_mapped(const Mapping& own) {
    if (own.in_memory || own.removed) return false;
    char path[sizeof options.folder + 80];
    if (!record_path(own.ticks, own.image, path, sizeof path)) return false;
    const long file = sys::open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (sys::failed(file)) return false;
    sys::close(file);
    return true;
}

void add_to(Text& held, std::uint32_t image) {
    if (held.size() != 0) held << '.';
    held.number(image);
}

bool map(std::uint32_t image, HeldRecord& held) {
    char path[sizeof options.folder + 80];
    if (!record_path(own_start_ticks(), image, path, sizeof path)) return false;
    const long file = sys::open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (sys::failed(file)) return false;
    struct stat its;
    void* base = nullptr;
    if (!sys::failed(sys::fstat(static_cast<int>(file), &its)) && its.st_size >= static_cast<off_t>(record::header_size)) {
        base = sys::mmap(nullptr, static_cast<std::size_t>(its.st_size), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    }
    sys::close(file);
    if (base == nullptr) return false;
    held = {static_cast<Header*>(base), static_cast<std::uint64_t>(its.st_size), image};
    const Header& header = *held.header;
    if (__builtin_memcmp(header.magic, record::magic, sizeof header.magic) == 0 && header.version == record::version &&
        header.slot_size == sizeof(record::Slot) && header.pid == static_cast<std::uint32_t>(identity.pid) &&
        header.start_ticks == own_start_ticks()) {
        return true;
    }
    sys::munmap(base, held.size);
    return false;
}

}  // namespace

void hand_on_descriptors(bool instrumented, Text& held) {
    const std::uint32_t count = fresh.held_count.load(std::memory_order_acquire);
    if (count == 0 && fresh.descriptors_noted.load(std::memory_order_relaxed) == 0) return;
    for (std::uint32_t i = 0; i < count; ++i) {
        bool any = false;
        each_in(fresh.held[i], 0, ~0U, [&](unsigned fd, Descriptor& place) {
            const bool handed = instrumented && places::survives_exec(fd);
            mark(place, handed);
            any = any || handed;
        });
        if (any) add_to(held, fresh.held[i].image);
    }
    const bool follow = instrumented && count < most_held && gather_surviving_descriptors() && can_be_mapped(*fresh.own);
    if (fresh.own == nullptr) return;
    bool any = false;
    char buffer[1024];
    places::each_open(0, ~0U, [&](unsigned fd, Descriptor& place) {
        const bool handed = follow && places::survives_exec(fd);
        mark(place, handed);
        if (!handed) return;
        any = true;
        place.file = places::file_of(fd);
        const std::string_view target = places::target_of(fd, buffer, sizeof buffer);
        if (!target.empty()) place.target.store(intern_string(*fresh.own, target), std::memory_order_release);
    });
    if (any) add_to(held, fresh.own->image);
}

void take_back_handed() {
    each_handed(0, ~0U, [](const HeldRecord&, unsigned, Descriptor& place) { mark(place, true); });
    if (fresh.own != nullptr) places::each_open(0, ~0U, [](unsigned, Descriptor& place) { mark(place, false); });
}

void take_over_handed() {
    std::uint32_t count = 0;
    for (std::uint32_t i = 0; i < options.held_count; ++i) {
        HeldRecord& held = fresh.held[count];
        if (!map(options.held[i], held)) continue;
        bool any = false;
        each_in(held, 0, ~0U, [&](unsigned fd, Descriptor& place) {
            if ((place.flags & record::handed_on) == 0 || !places::is_open(fd)) return take_out(held, place);
            any = true;
        });
        if (any) {
            ++count;
        } else {
            sys::munmap(held.header, held.size);
        }
    }
    if (count == 0) return;
    fresh.held_count.store(count, std::memory_order_release);
    fresh.descriptors_noted.store(1, std::memory_order_relaxed);  // so that what is closed is asked about
}

void forget_handed(unsigned first, unsigned last) {
    each_handed(first, last, [](const HeldRecord& held, unsigned, Descriptor& place) { take_out(held, place); });
}

void look_at_handed() {
    each_handed(0, ~0U, [](const HeldRecord& held, unsigned fd, Descriptor& place) {
        if (!places::is_open(fd) || places::file_of(fd) != place.file) take_out(held, place);
    });
}

bool has_handed() {
    bool any = false;
    each_handed(0, ~0U, [&](const HeldRecord&, unsigned, Descriptor&) { any = true; });
    return any;
}

}  // namespace leftover
