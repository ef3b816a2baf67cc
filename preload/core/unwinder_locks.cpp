// What libunwind calls to lock, made of system calls. libc's functions of these names may be another
// library's: ThreadSanitizer's crash in a thread that is past its own end, where libunwind's destructor of
// what it keeps for each thread locks. Only libunwind, inside this library, is linked to these.
#include <signal.h>
#include <sys/syscall.h>

#include <atomic>
#include <cstdint>

#include "preload/core/law.h"
#include "preload/core/sys.h"
#include "preload/core/thread_state.h"
#include "preload/core/undisturbed.h"
#include "preload/core/unwind_lock.h"

namespace leftover {

namespace {

// The first word of a pthread_mutex_t, which libunwind initialises to zeros.
using Word = std::atomic<std::uint32_t>;
constexpr std::uint32_t is_free = 0;
constexpr std::uint32_t is_held = 1;
constexpr std::uint32_t is_waited_for = 2;
constexpr long wait_ns = 100'000'000;

}  // namespace

#define FOR_LIBUNWIND(NAME) __asm__(#NAME) __attribute__((visibility("hidden"), used))

extern "C" int unwinder_init(Word* mutex, const void* attributes) FOR_LIBUNWIND(pthread_mutex_init);
extern "C" int unwinder_lock(Word* mutex) FOR_LIBUNWIND(pthread_mutex_lock);
extern "C" int unwinder_unlock(Word* mutex) FOR_LIBUNWIND(pthread_mutex_unlock);
extern "C" int unwinder_mask(int how, const sigset_t* set, sigset_t* old) FOR_LIBUNWIND(sigprocmask);

extern "C" int unwinder_init(Word* mutex, const void*) {
    mutex->store(is_free, std::memory_order_relaxed);
    return 0;
}

extern "C" int unwinder_lock(Word* mutex) {
    ++thread_state.unwinder_locks;
    std::uint32_t before = is_free;
    if (mutex->compare_exchange_strong(before, is_held, std::memory_order_acquire)) return 0;
    if (before != is_waited_for) before = mutex->exchange(is_waited_for, std::memory_order_acquire);
    while (before != is_free) {
        sys::futex_wait(mutex, is_waited_for, wait_ns);
        before = mutex->exchange(is_waited_for, std::memory_order_acquire);
    }
    return 0;
}

extern "C" int unwinder_unlock(Word* mutex) {
    if (mutex->exchange(is_free, std::memory_order_release) == is_waited_for) sys::futex_wake_all(mutex);
    --thread_state.unwinder_locks;
    return 0;
}

// Around each lock: all but libc's own are blocked, then what was before is put back.
extern "C" int unwinder_mask(int how, const sigset_t* set, sigset_t* old) {
    if (old != nullptr ? block_signals_until_end() : are_signals_blocked()) return 0;
    std::uint64_t wanted = 0;
    if (set != nullptr) {
        __builtin_memcpy(&wanted, set, sizeof wanted);
        wanted &= signals_of_program;
    }
    return sys::call(SYS_rt_sigprocmask, how, set != nullptr ? &wanted : nullptr, old, sizeof wanted) == 0 ? 0 : -1;
}

}  // namespace leftover
