#include "preload/core/walks.h"

#include <libunwind.h>

#include <iterator>

#include "preload/core/modules.h"
#include "preload/core/process.h"
#include "preload/core/sys.h"
#include "preload/core/text.h"

namespace leftover {

#if defined(__x86_64__)

namespace {

constexpr std::uint32_t ways = 4;
constexpr std::uint32_t sets = 512;
constexpr std::uint32_t most_tries = 32;  // a set, so that what cannot be remembered is not tried for ever
constexpr std::uint32_t own_frames = 16;  // between the capture and the hook there are fewer
constexpr std::uint64_t farthest = 64U << 20;

struct Set {
    std::atomic<std::uint32_t> walks[ways];  // offset in `memory` + 1; 0 none
    std::atomic<std::uint32_t> next;
    std::atomic<std::uint32_t> tries;
};

// Never freed: when it is full, what is known by then is what there is.
constexpr std::uint32_t memory_size = 512U << 10;

// Zeroed memory, shared with all that are forked from here on: a server's children do what their siblings
// did, and each would have to unwind for itself.
struct Region {
    Set table[sets];
    std::atomic<std::uint32_t> used;
    std::atomic<std::uint64_t> seen[512];  // hashes of stacks
    alignas(64) char memory[memory_size];
};
constinit std::atomic<Region*> region{nullptr};

Region* make_region() {
    Region* made = region.load(std::memory_order_acquire);
    if (made != nullptr) return made;
    auto* const own = static_cast<Region*>(
        sys::mmap(nullptr, sizeof(Region), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    if (own == nullptr || region.compare_exchange_strong(made, own, std::memory_order_acq_rel)) return own;
    sys::munmap(own, sizeof(Region));
    return made;
}

// A frame whose function keeps the frame pointer as the psABI has it: the caller's, then the return address.
struct Base {
    std::uint64_t frame_pointer;
    std::uint64_t caller;
};

const Base& base_of(const void* frame) { return *static_cast<const Base*>(frame); }
std::uint64_t end_of(const void* frame) { return reinterpret_cast<std::uint64_t>(frame) + sizeof(Base); }

// Other threads' stacks begin at other pages, and their frames lie alike.
Set& set_of(Region& of, const void* frame) {
    return of.table[mix(base_of(frame).caller, end_of(frame) & 0xfff) % sets];
}

std::uint64_t word_at(std::uint64_t address) { return *reinterpret_cast<const std::uint64_t*>(address); }

// In the order in which unwinding would look: what has not been found right is not followed.
bool holds(const Walk& walk, std::uint64_t end) {
    const Walk::Place* const places = walk.first_place();
    for (std::uint32_t i = 0; i < walk.places; ++i) {
        const Walk::Place& place = places[i];
        const std::uint64_t wanted = place.relative ? end + place.value : place.value;
        if (word_at(end + static_cast<std::uint64_t>(std::int64_t{place.offset})) != wanted) return false;
    }
    return true;
}

constexpr std::uint32_t most_steps(std::uint32_t count) { return count + own_frames; }
constexpr std::uint32_t most_places(std::uint32_t count) { return 2 * most_steps(count); }

// The places on the way that a slow unwinding takes, most_places(count) of them at most; 0 when it cannot be told by
// them.
std::uint32_t find_places(const void* frame, void* const* frames, std::uint32_t count, Walk::Place* places) {
    const std::uint64_t end = end_of(frame);
    unw_context_t context;
    unw_cursor_t cursor;
    unw_word_t ip = 0;
    unw_word_t sp = 0;
    if (unw_getcontext(&context) != 0 || unw_init_local(&cursor, &context) != 0) return 0;
    for (unsigned steps = 0; sp != end; ++steps) {
        if (steps == own_frames || unw_step(&cursor) <= 0 || unw_get_reg(&cursor, UNW_REG_SP, &sp) != 0) return 0;
    }
    if (unw_get_reg(&cursor, UNW_REG_IP, &ip) != 0 || ip != base_of(frame).caller) return 0;

    // Frames before the first that is wanted are ours.
    std::uint32_t matched = ip == reinterpret_cast<std::uint64_t>(frames[0]) ? 1 : 0;
    std::uint64_t last_saved = 0;
    std::uint32_t used_places = 0;
    for (std::uint32_t steps = 0; matched < count && steps < most_steps(count); ++steps) {
        unw_word_t frame_pointer = 0;
        unw_save_loc_t saved;
        if (unw_get_reg(&cursor, UNW_X86_64_RBP, &frame_pointer) != 0 ||
            unw_get_save_loc(&cursor, UNW_X86_64_RBP, &saved) != 0) {
            return 0;
        }
        if (saved.type == UNW_SLT_MEMORY && saved.u.addr != last_saved && saved.u.addr >= end - sizeof(Base) &&
            frame_pointer >= end && frame_pointer - end < farthest) {
            places[used_places++] = {static_cast<std::int32_t>(saved.u.addr - end), true, frame_pointer - end};
        }
        if (saved.type == UNW_SLT_MEMORY) last_saved = saved.u.addr;
        const unw_word_t before = sp;
        if (unw_step(&cursor) <= 0 || unw_get_reg(&cursor, UNW_REG_IP, &ip) != 0 ||
            unw_get_reg(&cursor, UNW_REG_SP, &sp) != 0) {
            return 0;
        }
        // A signal's frame holds its return address elsewhere, and where another one's would be there may be nothing: a
        // stack that has overflowed ends there. Another stack lies elsewhere.
        const std::uint64_t place = sp - sizeof ip;
        if (sp <= before || place - end >= farthest || !sys::readable(reinterpret_cast<const void*>(place)) ||
            word_at(place) != ip) {
            return 0;
        }
        places[used_places++] = {static_cast<std::int32_t>(place - end), false, ip};
        if (matched != 0 && ip != reinterpret_cast<std::uint64_t>(frames[matched])) return 0;
        if (matched != 0 || ip == reinterpret_cast<std::uint64_t>(frames[0])) ++matched;
    }
    return matched == count ? used_places : 0;
}

constexpr std::uint32_t size_of(std::uint32_t places, std::uint32_t frames) {
    return static_cast<std::uint32_t>(sizeof(Walk) + places * sizeof(Walk::Place) + frames * sizeof(void*));
}

}  // namespace

Walk* find_walk(const void* frame) {
    Region* const of = region.load(std::memory_order_acquire);
    if (of == nullptr) return nullptr;
    const std::uint64_t caller = base_of(frame).caller;
    const std::uint64_t end = end_of(frame);
    const std::uint32_t epoch = unload_epoch.load(std::memory_order_relaxed);
    for (std::atomic<std::uint32_t>& way : set_of(*of, frame).walks) {
        const std::uint32_t at = way.load(std::memory_order_acquire);
        if (at == 0) continue;
        auto* const walk = reinterpret_cast<Walk*>(of->memory + (at - 1));
        if (walk->caller == caller && walk->epoch == epoch && holds(*walk, end)) return walk;
    }
    return nullptr;
}

__attribute__((noinline)) void remember_walk(const void* frame, void* const* frames, std::uint32_t count,
                                             std::uint64_t hash) {
    Region* const of = make_region();
    if (of == nullptr) return;
    Set& set = set_of(*of, frame);
    std::atomic<std::uint32_t>& used = of->used;
    if (count == 0 || used.load(std::memory_order_relaxed) > memory_size - sizeof(Walk) ||
        set.tries.load(std::memory_order_relaxed) >= most_tries) {
        return;
    }
    set.tries.fetch_add(1, std::memory_order_relaxed);
    // Not on the stack, of which a handler may have little: all that can be needed is taken, and what was not needed
    // given back, unless somebody else has taken more behind it meanwhile.
    const auto most = size_of(most_places(count), count);
    std::uint32_t at = used.load(std::memory_order_relaxed);
    do {
        if (most > memory_size - at) return;
    } while (!used.compare_exchange_weak(at, at + most, std::memory_order_relaxed));
    auto* const walk = reinterpret_cast<Walk*>(of->memory + at);
    const std::uint32_t found = find_places(frame, frames, count, walk->places_to_fill());
    std::uint32_t all = at + most;
    used.compare_exchange_strong(all, at + (found != 0 ? size_of(found, count) : 0), std::memory_order_relaxed);
    if (found == 0) return;
    walk->caller = base_of(frame).caller;
    walk->epoch = unload_epoch.load(std::memory_order_relaxed);
    walk->places = static_cast<std::uint16_t>(found);
    walk->frames = static_cast<std::uint16_t>(count);
    walk->hash = hash;
    copy_bytes(const_cast<void**>(walk->first_frame()), frames, count * sizeof(void*));
    set.walks[set.next.fetch_add(1, std::memory_order_relaxed) % ways].store(at + 1, std::memory_order_release);
}

void share_walks() { make_region(); }

bool seen_before(std::uint64_t hash) {
    // Where nothing is shared, a program that sees hardly any stack twice does without.
    static constinit std::atomic<std::uint64_t> last{0};
    Region* const of = region.load(std::memory_order_acquire);
    std::atomic<std::uint64_t>& place = of != nullptr ? of->seen[hash % std::size(of->seen)] : last;
    if (place.load(std::memory_order_relaxed) == hash) return true;
    place.store(hash, std::memory_order_relaxed);
    return false;
}

#else

bool seen_before(std::uint64_t) { return false; }

void share_walks() {}
Walk* find_walk(const void*) { return nullptr; }
void remember_walk(const void*, void* const*, std::uint32_t, std::uint64_t) {}

#endif

}  // namespace leftover
