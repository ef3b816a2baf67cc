// POSIX timers. They die with their process and with exec, and a forked child has none, so that nothing
// needs to be written before the call. The thread that libc starts for SIGEV_THREAD is its own business:
// it does not come through pthread_create, and no record tells of it.
#include <signal.h>
#include <time.h>

#include "preload/core/hook.h"
#include "preload/core/slots.h"
#include "preload/core/stacks.h"
#include "preload/core/sys.h"
#include "preload/core/text.h"

namespace leftover {

using record::State;

namespace {

// What a timer_t is findable by. A child without a record of its own writes into its parent's, in which
// the parent's timer of that very number may stand.
std::uint64_t key_of(timer_t timer) {
    return mix(reinterpret_cast<std::uintptr_t>(timer), static_cast<std::uint64_t>(identity.pid)) | 1;
}

// The kernel's number, as in /proc/PID/timers. glibc's timer_t is that number, or else it is negative, and
// twice its value the address of a structure that begins with the number (glibc 2.34,
// sysdeps/unix/sysv/linux/kernel-posix-timers.h). Another libc's is taken as it is.
std::uint64_t number_of(timer_t timer) {
    const auto word = reinterpret_cast<std::uintptr_t>(timer);
    if (static_cast<std::intptr_t>(word) >= 0) return word;
    const auto* number = reinterpret_cast<const int*>(word << 1);
    if (!sys::readable(number) || sys::call(SYS_timer_getoverrun, *number) < 0) return word;
    return static_cast<std::uint32_t>(*number);
}

// errno kept.
void created(timer_t timer) {
    const SlotRef ref = claim_slot(Kind::timer);
    if (!ref) return;
    ref.slot->a.store(key_of(timer), std::memory_order_relaxed);
    ref.slot->b.store(number_of(timer), std::memory_order_relaxed);
    ref.slot->stack.store(capture_stack(*ref.mapping), std::memory_order_relaxed);
    publish_slot(ref, State::live);
}

}  // namespace

// The oldest version on x86_64 (2.2.5), for programs linked before 2004, has a timer_t of four bytes that is
// libc's own number for it. It has no hook.
#if defined(__x86_64__)
#define TIMER_HOOK(NAME, ...)          \
    HOOK_ALSO(NAME, "GLIBC_2.3.3");    \
    HOOK_VERSION(int, NAME, "GLIBC_2.34", __VA_ARGS__)
#else
#define TIMER_HOOK(NAME, ...) HOOK(int, NAME, __VA_ARGS__)
#endif

TIMER_HOOK(timer_create, clockid_t clock, struct sigevent* event, timer_t* timer) {
    Entry entry(Kind::timer);
    const int result = real_timer_create(clock, event, timer);
    if (result == 0 && entry) created(*timer);
    return result;
}

TIMER_HOOK(timer_delete, timer_t timer) {
    Entry entry(Kind::timer);
    const SlotRef slot = entry ? find_slot(Kind::timer, key_of(timer)) : SlotRef{};
    const int result = real_timer_delete(timer);
    if (result == 0 && slot) release_slot(slot);
    return result;
}

}  // namespace leftover
