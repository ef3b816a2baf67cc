// How a call is interposed: one block, anywhere under hooks/, adds one.
//
//   HOOK(int, sem_unlink, const char* name) {
//       Entry entry(Kind::semaphore);
//       if (!entry) return real_sem_unlink(name);
//       ...
//   }
//
// The block exports `sem_unlink`, declares `real_sem_unlink` and puts a row in a section of the
// library that the binder walks; there is no list to edit. The C++ function has a name of its own and
// only its assembler name is the call's, so libc's declarations (noexcept, nonnull) do not get in the
// way. Cancellation unwinds through hooks: they are not noexcept and have no landing pads.
#pragma once

#include <cstdint>

#include "preload/core/abandoned.h"
#include "preload/core/elf_symbols.h"
#include "preload/core/law.h"
#include "preload/core/process.h"
#include "preload/record/kinds.h"

namespace leftover {

struct HookRow {
    const char* name;
    void** real;
    const char* version;  // null: the default one
    std::uint32_t hash;   // ElfSymbols::gnu_hash of the name
};

// Finds the real function of every row. May take the loader's lock: by initialise() only.
void bind_hooks();

using record::Kind;

// Stands at the top of a hook for as long as the hook runs, the real call included. True when this call
// is to be recorded: we record at all, the kind is wanted, and this is the program's own call (a signal
// handler's included, which interrupted another hook), not one that libc or the unwinder makes within
// another hook's.
class Entry {
  public:
    // Its frame is the hook's.
    __attribute__((always_inline)) explicit Entry(std::uint32_t kinds) {
        if (initialised.load(std::memory_order_acquire) != 2) initialise();
        if (!recording.load(std::memory_order_relaxed) || (options.kinds & kinds) == 0) return;
        if (shares_parent_memory()) return;
        if (is_new_child()) adopt_fork();
        const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
        if (is_below_hook(here)) {
            if (is_under_way(here)) return;
            outer_ = thread_state.guard;
        }
        thread_state.guard = here;
        held_ = true;
    }
    __attribute__((always_inline)) explicit Entry(Kind kind) : Entry(record::bit(kind)) {}
    ~Entry() {
        if (held_) thread_state.guard = outer_;
    }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

    explicit operator bool() const { return held_; }

  private:
    bool held_ = false;
    std::uintptr_t outer_ = 0;  // the guard of the hook that a signal handler interrupted, whose call this is
};

// For hooks that keep no books but must be ready: binds and adopts a fork if need be. False in a
// vforked child, where nothing of ours may change.
inline bool ready() {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    if (shares_parent_memory()) return false;
    if (recording.load(std::memory_order_relaxed) && is_new_child()) adopt_fork();
    return true;
}

}  // namespace leftover

#define LEFTOVER_ROW(RET, ID, NAME, VERSION, ...)                                                   \
    static RET (*real_##ID)(__VA_ARGS__);                                                           \
    __attribute__((section("leftover_hooks"), used, aligned(sizeof(void*)))) static const leftover::HookRow \
        row_##ID = {NAME, reinterpret_cast<void**>(&real_##ID), VERSION,                             \
                    leftover::ElfSymbols::gnu_hash(NAME)}

#define LEFTOVER_HOOK(RET, ID, NAME, VERSION, SYMBOL, ...)                                          \
    LEFTOVER_ROW(RET, ID, NAME, VERSION, __VA_ARGS__);                                              \
    extern "C" __attribute__((visibility("default"))) RET hook_##ID(__VA_ARGS__) __asm__(SYMBOL);   \
    RET hook_##ID(__VA_ARGS__)

// `real_NAME` alone, for our own use: nothing is exported.
#define REAL(RET, NAME, ...) LEFTOVER_ROW(RET, NAME, #NAME, nullptr, __VA_ARGS__)

#define HOOK(RET, NAME, ...) LEFTOVER_HOOK(RET, NAME, #NAME, nullptr, #NAME, __VA_ARGS__)

// A name of which libc has versions that do different things: a program gets the one that it was linked to.
// Each is a hook of its own, HOOK_VERSION the default one and HOOK_OLD one of before (the call's name, then the
// hook's), and exported by its version, which exports.map knows. A version without a hook is libc's alone.
#define HOOK_VERSION(RET, NAME, VERSION, ...)                                                 \
    __asm__(".symver versioned_" #NAME ", " #NAME "@@" VERSION ", remove");                    \
    LEFTOVER_HOOK(RET, NAME, #NAME, VERSION, "versioned_" #NAME, __VA_ARGS__)
#define HOOK_OLD(RET, NAME, ID, VERSION, ...)                                                 \
    __asm__(".symver versioned_" #ID ", " #NAME "@" VERSION ", remove");                       \
    LEFTOVER_HOOK(RET, ID, #NAME, VERSION, "versioned_" #ID, __VA_ARGS__)
// Besides, the same under an older version's name; before its HOOK_VERSION.
#define HOOK_ALSO(NAME, VERSION) __asm__(".symver versioned_" #NAME ", " #NAME "@" VERSION)
