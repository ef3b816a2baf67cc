#include "preload/core/ending.h"

#include <stdlib.h>

#include <cerrno>

#include "preload/core/children.h"
#include "preload/core/clock.h"
#include "preload/core/descriptors.h"
#include "preload/core/mapping.h"
#include "preload/core/pending.h"
#include "preload/core/proc_self.h"
#include "preload/core/process.h"
#include "preload/core/slots.h"
#include "preload/core/sys.h"
#include "preload/core/text.h"
#include "preload/hand/hand.h"

extern "C" int __cxa_at_quick_exit(void (*)(void*), void*);
extern "C" char __libc_single_threaded;

namespace leftover {

using record::ChunkType;
using record::Ending;
using record::Header;

namespace {

constexpr std::uintptr_t page_size = 4096;

// Threads may have been renamed since they were written down.
void note_thread_names(Mapping& mapping) {
    if (mapping.header->counters[static_cast<std::size_t>(record::Kind::thread)].created.load() == 0) return;
    each_slot(mapping, [](const SlotRef& ref) {
        if (ref.slot->kind != record::Kind::thread) return;
        if ((ref.slot->flags.load(std::memory_order_relaxed) & record::finished) != 0) return;
        char path[64];
        Text text(path, sizeof path);
        text << "/proc/self/task/";
        text.number(ref.slot->value.load(std::memory_order_relaxed)) << "/comm";
        char name[32];
        long size = read_file(path, name, sizeof name);
        if (size > 0 && name[size - 1] == '\n') --size;
        if (size <= 0) return;
        if (size > static_cast<long>(record::inline_name_size)) size = record::inline_name_size;
        copy_bytes(ref.slot->name, name, static_cast<std::size_t>(size));
        ref.slot->name_size = static_cast<std::uint16_t>(size);
    });
}

void give_back(char* begin, const char* end) {
    if (begin < end) sys::call(SYS_madvise, begin, end - begin, MADV_REMOVE);
}

char* page_of(char* address) { return address - reinterpret_cast<std::uintptr_t>(address) % page_size; }

// All pages without an open descriptor but the first, which says what the chunk holds.
void give_back_closed(char* base, std::uint64_t size) {
    const auto* head = reinterpret_cast<const record::DescriptorChunk*>(base);
    const auto* places = reinterpret_cast<const record::Descriptor*>(head + 1);
    char* kept_to = base + page_size;
    for (std::uint32_t i = 0; i < head->capacity; ++i) {
        if ((places[i].state.load(std::memory_order_relaxed) & 0xff) != static_cast<std::uint32_t>(record::State::live)) {
            continue;
        }
        char* const place = base + sizeof *head + i * sizeof *places;
        give_back(kept_to, page_of(place));
        char* const behind_it = page_of(place + sizeof *places - 1) + page_size;
        if (behind_it > kept_to) kept_to = behind_it;
    }
    give_back(kept_to, base + size);
}

// What a process that ended with nothing live to its name need not keep: the stacks, and the slots when
// they hold no children that ended either. Hardly any process closes all its descriptors: with those alone
// it keeps what tells of them. A build starts thousands such. Not with other threads about, which may be
// creating.
void shrink(Mapping& mapping) {
    if (mapping.in_memory || mapping.removed) return;
    bool live = false;
    bool history = false;
    each_slot(mapping, [&](const SlotRef& ref) {
        const std::uint32_t state = ref.slot->state.load(std::memory_order_relaxed) & 0xff;
        (state == static_cast<std::uint32_t>(record::State::ended) ? history : live) = true;
    });
    if (live || (__libc_single_threaded == 0 && count_threads() != 1)) return;
    recording.store(false, std::memory_order_release);
    const bool descriptors = worth_keeping_descriptors();
    const std::uint32_t chunks = mapping.chunk_count.load(std::memory_order_relaxed);
    for (std::uint32_t i = 0; i < chunks; ++i) {
        char* const base = mapping.bases[i];
        const ChunkType type = mapping.type(i);
        if (history && type == ChunkType::slots) continue;
        if (descriptors && type == ChunkType::descriptors) {
            give_back_closed(base, mapping.size(i));
        } else if (descriptors && type == ChunkType::arena) {
            const std::uint32_t used = reinterpret_cast<const record::ArenaChunk*>(base)->used.load(std::memory_order_relaxed);
            give_back(page_of(base + used - 1) + page_size, base + mapping.size(i));
        } else {
            give_back(base, base + mapping.size(i));
        }
    }
}

void note_end(Mapping& mapping, Ending ending, int value) {
    Header& header = *mapping.header;
    header.ending_value.store(static_cast<std::uint32_t>(value), std::memory_order_relaxed);
    header.ended_ns.store(realtime_ns(), std::memory_order_relaxed);
    header.ending.store(static_cast<std::uint32_t>(ending), std::memory_order_release);
}

void at_exit(int status, void*) {
    if (!shares_parent_memory()) end_process(Ending::code, status & 0xff);
}

int quick_status = 0;

void at_quick_exit_handlers_done(void*) { at_exit(quick_status, nullptr); }

}  // namespace

void watch_exit() {
    // These run after all that is registered later, the destructors of linked libraries included; a
    // destructor of ours would run before those.
    on_exit(at_exit, nullptr);
    __cxa_at_quick_exit(at_quick_exit_handlers_done, nullptr);
}

void set_quick_status(int status) { quick_status = status; }

void end_process(Ending ending, int value) {
    if (!options.active) return;
    if (is_new_child()) {
        if (!options.by_hand) return;  // it made nothing, or it would be adopted
        adopt_fork();
    }
    // exit's handlers may call _exit, and a handler for a signal may interrupt either: once is enough.
    if (fresh.ended.exchange(1, std::memory_order_acq_rel) != 0) {
        // Another thread may be at the report: its end must not be cut short.
        if (options.by_hand) hand::await_end();
        return;
    }
    const int saved = errno;
    note_zombies();
    look_at_descriptors();  // which may open the record
    Mapping* const mapping = fresh.own;
    if (mapping != nullptr) {
        look_up_pending();
        note_thread_names(*mapping);
        note_end(*mapping, ending, value);
    }
    if (options.by_hand) hand::at_end(ending, value);
    if (mapping != nullptr) shrink(*mapping);
    errno = saved;
}

void expect_end(Ending ending, int value) {
    if (fresh.own != nullptr) note_end(*fresh.own, ending, value);
}

void take_back_end() {
    if (fresh.own != nullptr) fresh.own->header->ending.store(static_cast<std::uint32_t>(Ending::running), std::memory_order_release);
}

}  // namespace leftover
