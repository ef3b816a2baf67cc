#include "preload/core/descriptors.h"

#include <cerrno>

#include "preload/core/abandoned.h"
#include "preload/core/arena.h"
#include "preload/core/clock.h"
#include "preload/core/copied_stack.h"
#include "preload/core/descriptor_places.h"
#include "preload/core/handed.h"
#include "preload/core/slots.h"
#include "preload/core/stacks.h"
#include "preload/core/sys.h"
#include "preload/core/text.h"
#include "preload/python/detected.h"

namespace leftover {

using record::ChunkType;
using record::Descriptor;
using record::Kind;
using record::State;
using namespace places;

namespace {

// A record takes no more than so many of children. Servers fork without end, and hardly any process closes what it
// has open when it ends.
constexpr std::uint32_t most_lent_in_all = 1024;

// In the list of lent slots: being entered or taken out.
constexpr std::uint32_t being_lent = ~0U;

// Larger chunks only for those that open many: a lone high number (bash takes 255, and others the
// highest there is) is no reason for megabytes.
constexpr std::uint32_t largest_sparse_chunk = 3;
// One that is handed on by exec has its place for as long as the process lives: below 4096.
constexpr std::uint32_t largest_handed_chunk = 6;

// See "just executed" in the header.
constexpr std::uint64_t early_ns = 100'000'000;

record::Counter& counter_of(const Mapping& mapping) {
    return mapping.header->counters[static_cast<std::size_t>(Kind::file_descriptor)];
}

std::uint64_t live_in(const Mapping& mapping) {
    const record::Counter& counter = counter_of(mapping);
    const std::uint64_t released = counter.released.load(std::memory_order_relaxed);
    const std::uint64_t created = counter.created.load(std::memory_order_relaxed);
    return created > released ? created - released : 0;
}

bool takes_lent(const Mapping& mapping) { return mapping.header->lent.load(std::memory_order_relaxed) < most_lent_in_all; }

// Whether a process's descriptors are forgotten when it ends, because the record that it inherited holds as many
// as anybody wants to see. (It may have had room a moment ago, or have some again.)
bool are_not_kept() {
    return fresh.inherited != nullptr &&
           fresh.inherited->header->lent.load(std::memory_order_relaxed) + most_lent >= most_lent_in_all;
}

// Of this process: a record may hold its children's as well.
std::uint64_t key_of(int fd) {
    return mix(static_cast<std::uint32_t>(fd), static_cast<std::uint64_t>(identity.pid)) | 1;
}

// `sparse`: the last chunk that a lone high number may be the reason for.
Descriptor* make_place(Mapping& mapping, unsigned fd, std::uint32_t sparse = largest_sparse_chunk) {
    if (Descriptor* place = place_of(fd)) return place;
    const std::uint32_t chunk = record::descriptor_chunk_of(fd);
    if (chunk >= record::descriptor_chunks) return nullptr;
    if (chunk > sparse && live_in(mapping) < record::descriptor_chunk_first(chunk) / 4) return nullptr;
    // A thread that was waited for may have added a chunk of another type.
    for (int tries = 0; tries < 4; ++tries) {
        const bool grown = grow(mapping, ChunkType::descriptors, chunk);
        if (Descriptor* place = place_of(fd)) return place;
        if (!grown) break;
    }
    return nullptr;
}

void count_opened(const Mapping& mapping) {
    record::Counter& counter = counter_of(mapping);
    counter.created.fetch_add(1, std::memory_order_relaxed);
    const std::uint64_t live = live_in(mapping);
    if (live > counter.peak.load(std::memory_order_relaxed)) counter.peak.store(live, std::memory_order_relaxed);
}

void count_closed(const Descriptor& place) {
    if (is_early(place)) {
        fresh.early_released.fetch_add(1, std::memory_order_relaxed);
    } else {
        counter_of(*fresh.own).released.fetch_add(1, std::memory_order_relaxed);
    }
}

void forget(Descriptor& place) {
    if (take_out(place)) count_closed(place);
}

// Writes all but the stack, and not yet that it is live; the generation.
std::uint32_t fill(Descriptor& place, std::string_view name) {
    const std::uint32_t before = place.state.load(std::memory_order_relaxed);
    const std::uint32_t generation = (before >> 8) + 1;
    if (is_live(before)) count_closed(place);  // by a call that nobody saw, or dup2
    place.state.store(word_of(generation, State::claimed), std::memory_order_release);
    place.tid = static_cast<std::uint32_t>(current_tid());
    place.target.store(0, std::memory_order_relaxed);
    place.created_ns = clock_ns(CLOCK_REALTIME_COARSE);
    place.flags = 0;
    if (name.size() > sizeof place.name) {
        place.flags = record::name_cut;
        name.remove_prefix(name.size() - sizeof place.name);
    }
    place.name_size = static_cast<std::uint8_t>(name.size());
    copy_bytes(place.name, name.data(), name.size());
    copy_bytes(place.thread_name, current_thread_name(), sizeof place.thread_name);
    return generation;
}

void enter(Mapping& mapping, Descriptor& place, std::string_view name, record::ItemId stack) {
    const std::uint32_t generation = fill(place, name);
    place.stack.store(stack != 0 ? stack : capture_stack(mapping), std::memory_order_relaxed);
    place.state.store(word_of(generation, State::live), std::memory_order_release);
    count_opened(mapping);
}

// Whether the process has been noting for a while: one that lives so long is worth a record of its own.
bool is_past_first_moments() {
    const std::uint64_t now = clock_ns(CLOCK_MONOTONIC_COARSE);
    std::uint64_t since = 0;
    if (fresh.descriptors_since.compare_exchange_strong(since, now, std::memory_order_relaxed)) return false;
    return now - since > early_ns;
}

// False when there is no room, or it is not for this program: Python's frames can be kept in a record only.
bool enter_early(unsigned fd, std::string_view name) {
    if (fd >= record::first_descriptors || fresh.attempts.load() != 0 || fresh.opening.load(std::memory_order_acquire) != 0 ||
        (options.python && python::detected() != nullptr)) {
        return false;
    }
    if (Descriptor* const before = early_place_of(fd)) forget(*before);  // closed by a call that nobody saw
    EarlyDescriptor* const entry = claim_early(fd);
    if (entry == nullptr) return false;
    const std::uint32_t generation = fill(entry->place, name);
    entry->frame_count = capture_frames(entry->frames, options.depth < early_frames ? options.depth : early_frames);
    fresh.early_created.fetch_add(1, std::memory_order_relaxed);
    entry->place.state.store(word_of(generation, State::live), std::memory_order_release);
    return true;
}

SlotRef lent_slot(std::uint32_t at) {
    const std::uint64_t word = fresh.lent_slots[at].load(std::memory_order_relaxed);
    SlotRef ref = slot_at(*fresh.inherited, static_cast<record::SlotId>(word >> 32));
    ref.generation = static_cast<std::uint32_t>(word);
    return ref;
}

// A slot of the record that we inherited is not indexed, and its owner's counts are not ours to change.
void forget_lent(std::uint32_t at) {
    std::uint32_t number = fresh.lent_numbers[at].load(std::memory_order_relaxed);
    if (number == 0 || number == being_lent ||
        !fresh.lent_numbers[at].compare_exchange_strong(number, being_lent, std::memory_order_acq_rel)) {
        return;  // another thread is at it
    }
    const SlotRef ref = lent_slot(at);
    fresh.lent_numbers[at].store(0, std::memory_order_release);
    fresh.descriptors_spilled.fetch_sub(1, std::memory_order_relaxed);
    fresh.inherited->header->lent.fetch_sub(1, std::memory_order_relaxed);
    if (!ref) return;
    std::uint32_t live = word_of(ref.generation, State::live);
    ref.slot->state.compare_exchange_strong(live, word_of(ref.generation, State::intent), std::memory_order_acq_rel);
    release_slot(ref);
}

// Calls `visit(place in the list, fd)`.
template <class Visit>
void each_lent(Visit visit) {
    if (fresh.inherited == nullptr || !*fresh.inherited) return;
    for (std::uint32_t i = 0; i < most_lent; ++i) {
        const std::uint32_t number = fresh.lent_numbers[i].load(std::memory_order_acquire);
        if (number != 0 && number != being_lent) visit(i, number - 1);
    }
}

void write_spilled(const SlotRef& ref, int fd, std::string_view name) {
    if (name.size() > record::inline_name_size) name.remove_prefix(name.size() - record::inline_name_size);
    name_slot(ref, name);
    ref.slot->b.store(static_cast<std::uint32_t>(fd), std::memory_order_relaxed);
    ref.slot->stack.store(capture_stack(*ref.mapping), std::memory_order_relaxed);
}

// In a slot of the record that we inherited; false when there is no room.
bool lend(Mapping& mapping, int fd, std::string_view name) {
    std::uint32_t at = 0;
    for (; at < most_lent; ++at) {
        std::uint32_t none = 0;
        if (fresh.lent_numbers[at].load(std::memory_order_relaxed) == 0 &&
            fresh.lent_numbers[at].compare_exchange_strong(none, being_lent, std::memory_order_acq_rel)) {
            break;
        }
    }
    if (at == most_lent) return false;
    const SlotRef ref = claim_slot_in(mapping, Kind::file_descriptor);
    if (!ref) {
        fresh.lent_numbers[at].store(0, std::memory_order_release);
        return false;
    }
    write_spilled(ref, fd, name);
    ref.slot->state.store(word_of(ref.generation, State::live), std::memory_order_release);
    fresh.lent_slots[at].store(static_cast<std::uint64_t>(ref.id) << 32 | ref.generation, std::memory_order_relaxed);
    fresh.lent_numbers[at].store(static_cast<std::uint32_t>(fd) + 1, std::memory_order_release);
    mapping.header->lent.fetch_add(1, std::memory_order_relaxed);
    fresh.descriptors_spilled.fetch_add(1, std::memory_order_relaxed);
    return true;
}

// In a slot of our own record, findable by its number.
SlotRef find_own_spilled(int fd) { return fresh.own != nullptr ? find_slot(Kind::file_descriptor, key_of(fd)) : SlotRef{}; }

void forget_own_spilled(const SlotRef& ref) {
    release_slot(ref);
    fresh.descriptors_spilled.fetch_sub(1, std::memory_order_relaxed);
}

void forget_spilled(int fd) {
    if (fresh.descriptors_spilled.load(std::memory_order_relaxed) == 0) return;
    each_lent([&](std::uint32_t at, unsigned number) {
        if (number == static_cast<unsigned>(fd)) forget_lent(at);
    });
    if (const SlotRef ref = find_own_spilled(fd)) forget_own_spilled(ref);
}

// False when there is no room.
bool spill(Mapping& own, int fd, std::string_view name) {
    const SlotRef ref = claim_slot_in(own, Kind::file_descriptor);
    if (!ref) return false;
    ref.slot->a.store(key_of(fd), std::memory_order_relaxed);
    write_spilled(ref, fd, name);
    publish_slot(ref, State::intent);
    confirm_slot(ref);
    fresh.descriptors_spilled.fetch_add(1, std::memory_order_relaxed);
    return true;
}

// Calls `visit(SlotRef)` for each that has a slot in our own record.
template <class Visit>
void each_own_spilled(Visit visit) {
    if (fresh.descriptors_spilled.load(std::memory_order_relaxed) == 0 || fresh.own == nullptr) return;
    each_slot(*fresh.own, [&](const SlotRef& ref) {
        if (ref.slot->kind == Kind::file_descriptor && ref.slot->pid == static_cast<std::uint32_t>(identity.pid)) visit(ref);
    });
}

// Ours, and not a child that shares our memory or has not taken in yet that it is one.
bool is_ours() { return !shares_parent_memory() && !is_new_child(); }

// From a slot, which stays, to a place of our own record, where it is not counted once more.
void move_to_place(Mapping& own, const SlotRef& ref, unsigned fd) {
    Descriptor* const place = make_place(own, fd, largest_handed_chunk);
    if (place == nullptr || is_live(*place)) return;
    const record::Slot& from = *ref.slot;
    const std::size_t size = from.name_size < record::inline_name_size ? from.name_size : record::inline_name_size;
    const std::uint32_t generation = fill(*place, {from.name, size});
    place->tid = from.tid;
    place->created_ns = from.created_ns;
    copy_bytes(place->thread_name, from.thread_name, sizeof place->thread_name);
    const record::ItemId stack = from.stack.load(std::memory_order_relaxed);
    place->stack.store(ref.mapping == &own ? stack : copy_stack(*ref.mapping, stack, own), std::memory_order_relaxed);
    place->state.store(word_of(generation, State::live), std::memory_order_release);
}

}  // namespace

void note_opened(int fd, std::string_view name, const Mapping* of_stack, record::ItemId stack) {
    if (!recording.load(std::memory_order_relaxed) || shares_parent_memory()) return;
    if (is_new_child()) adopt_fork();
    // Within a call that is noted as a whole; see Entry.
    if (is_within_hook(reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)))) return;
    const int saved = errno;
    fresh.descriptors_noted.store(1, std::memory_order_relaxed);
    Mapping* mapping = fresh.own;
    bool done = false;
    forget_spilled(fd);
    forget_handed(static_cast<unsigned>(fd));
    const bool first_moments = mapping == nullptr && !is_past_first_moments();
    if (first_moments && fresh.inherited != nullptr && fresh.early_valid.load(std::memory_order_relaxed) == 0 &&
        takes_lent(*fresh.inherited)) {
        done = lend(*fresh.inherited, fd, name);
    }
    if (first_moments && !done) done = enter_early(static_cast<unsigned>(fd), name);
    if (!done) mapping = writable_record();
    if (!done && mapping != nullptr) {
        Descriptor* const place = mapping == fresh.own ? make_place(*mapping, static_cast<unsigned>(fd)) : nullptr;
        if (place != nullptr) {
            enter(*mapping, *place, name, mapping == of_stack ? stack : 0);
        } else if (mapping != fresh.own) {
            // None of our own is to be had (another user, a chroot): as long as there is room.
            if (Descriptor* const early_place = place_of(static_cast<unsigned>(fd))) forget(*early_place);
            lend(*mapping, fd, name);
        } else if (!spill(*mapping, fd, name)) {
            mapping->header->lost.fetch_add(1, std::memory_order_relaxed);
        }
    }
    errno = saved;
}

void take_in_early_descriptors(Mapping& own) {
    if (fresh.early_valid.load(std::memory_order_relaxed) == 0) return;
    record::Counter& counter = counter_of(own);
    counter.created.fetch_add(fresh.early_created.exchange(0, std::memory_order_relaxed), std::memory_order_relaxed);
    counter.released.fetch_add(fresh.early_released.exchange(0, std::memory_order_relaxed), std::memory_order_relaxed);
    counter.peak.store(live_in(own), std::memory_order_relaxed);
    each_early([&](EarlyDescriptor& entry) {
        const Descriptor& from = entry.place;
        if (!is_live(from)) return;
        Descriptor* const to = place_of(entry.fd.load(std::memory_order_relaxed));
        if (to == nullptr || is_early(*to)) return;
        to->tid = from.tid;
        to->created_ns = from.created_ns;
        to->flags = from.flags;
        to->name_size = from.name_size;
        copy_bytes(to->thread_name, from.thread_name, sizeof to->thread_name);
        copy_bytes(to->name, from.name, sizeof to->name);
        to->stack.store(enter_frames(own, entry.frames, entry.frame_count), std::memory_order_relaxed);
        to->state.store(word_of(1, State::live), std::memory_order_release);
    });
    fresh.early_valid.store(0, std::memory_order_relaxed);
    fresh.early_taken.store(0, std::memory_order_relaxed);
}

std::string_view name_of_descriptor(int fd, char (&buffer)[sizeof record::Descriptor::name]) {
    if (fd < 0 || fresh.descriptors_noted.load(std::memory_order_relaxed) == 0 || !is_ours()) return {};
    const Descriptor* const place = place_of(static_cast<unsigned>(fd));
    if (place == nullptr || !is_live(place->state.load(std::memory_order_acquire))) return {};
    const std::size_t size = place->name_size <= sizeof buffer ? place->name_size : 0;
    copy_bytes(buffer, place->name, size);
    return {buffer, size};
}

void note_closing(int fd) {
    if (fd < 0 || !is_ours()) return;
    if (Descriptor* const place = place_of(static_cast<unsigned>(fd))) forget(*place);
    forget_spilled(fd);
    forget_handed(static_cast<unsigned>(fd));
}

void note_closing_range(unsigned first, unsigned last) {
    if (fresh.descriptors_noted.load(std::memory_order_relaxed) == 0 || !is_ours()) return;
    each_open(first, last, [](unsigned, Descriptor& place) { forget(place); });
    each_lent([&](std::uint32_t at, unsigned fd) {
        if (first <= fd && fd <= last) forget_lent(at);
    });
    each_own_spilled([&](const SlotRef& ref) {
        const std::uint64_t fd = ref.slot->b.load(std::memory_order_relaxed);
        if (first <= fd && fd <= last) forget_own_spilled(ref);
    });
    forget_handed(first, last);
}

void look_at_descriptors() {
    if (fresh.descriptors_noted.load(std::memory_order_relaxed) == 0 || !recording.load(std::memory_order_relaxed) ||
        !is_ours()) {
        return;
    }
    look_at_handed();
    bool any = false;
    each_open(0, ~0U, [&](unsigned fd, Descriptor& place) {
        if (!is_open(fd)) return forget(place);
        any = true;
    });
    if (any && !are_not_kept()) writable_record();  // those that are in memory only move there
    char buffer[1024];
    each_open(0, ~0U, [&](unsigned fd, Descriptor& place) {
        if (is_early(place)) return;
        const std::string_view target = target_of(fd, buffer, sizeof buffer);
        if (!target.empty()) place.target.store(intern_string(*fresh.own, target), std::memory_order_release);
    });
    const auto show_target = [&](const SlotRef& ref, unsigned fd) {
        const std::string_view target = target_of(fd, buffer, sizeof buffer);
        if (!target.empty() && ref.slot->next == 0) rename_slot(ref, target);
    };
    each_lent([&](std::uint32_t at, unsigned fd) {
        if (!is_open(fd)) return forget_lent(at);
        if (const SlotRef ref = lent_slot(at)) show_target(ref, fd);
    });
    each_own_spilled([&](const SlotRef& ref) {
        const auto fd = static_cast<unsigned>(ref.slot->b.load(std::memory_order_relaxed));
        if (!is_open(fd)) return forget_own_spilled(ref);
        show_target(ref, fd);
    });
}

bool gather_surviving_descriptors() {
    if (fresh.descriptors_noted.load(std::memory_order_relaxed) == 0 || !recording.load(std::memory_order_relaxed) ||
        !is_ours()) {
        return false;
    }
    bool any = false;
    each_open(0, ~0U, [&](unsigned fd, Descriptor&) { any = any || survives_exec(fd); });
    each_lent([&](std::uint32_t, unsigned fd) { any = any || survives_exec(fd); });
    each_own_spilled([&](const SlotRef& ref) {
        any = any || survives_exec(static_cast<unsigned>(ref.slot->b.load(std::memory_order_relaxed)));
    });
    if (!any || (fresh.own == nullptr && are_not_kept())) return false;
    writable_record();
    if (fresh.own == nullptr) return false;
    Mapping& own = *fresh.own;
    each_lent([&](std::uint32_t at, unsigned fd) {
        const SlotRef ref = survives_exec(fd) ? lent_slot(at) : SlotRef{};
        if (!ref) return;
        move_to_place(own, ref, fd);
        forget_lent(at);
        counter_of(own).created.fetch_add(1, std::memory_order_relaxed);
    });
    each_own_spilled([&](const SlotRef& ref) {
        const auto fd = static_cast<unsigned>(ref.slot->b.load(std::memory_order_relaxed));
        if (!survives_exec(fd)) return;
        move_to_place(own, ref, fd);
        if (place_of(fd) == nullptr || !is_live(*place_of(fd))) return;
        forget_own_spilled(ref);
        counter_of(own).released.fetch_sub(1, std::memory_order_relaxed);
    });
    return true;
}

bool worth_keeping_descriptors() {
    if (fresh.descriptors_noted.load(std::memory_order_relaxed) == 0) return false;
    if (are_not_kept()) return false;
    bool found = false;
    each_open(0, ~0U, [&](unsigned, Descriptor&) { found = true; });
    return found;
}

}  // namespace leftover
