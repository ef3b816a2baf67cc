// Threads. A slot lives from creation until somebody joins the thread, or until it ends detached. The
// thread runs through a trampoline that makes it findable under its own number before the program's
// code runs, and sets a key whose destructor sees return, pthread_exit and cancellation alike: a
// cleanup in the trampoline's frame would need a personality routine of ours in the program's unwinder.
#include <pthread.h>
#include <threads.h>

#include <cerrno>

#include "preload/core/cancellation.h"
#include "preload/core/modules.h"
#include "preload/core/slots.h"
#include "preload/core/hook.h"
#include "preload/core/stacks.h"
#include "preload/core/text.h"
#include "preload/core/unwind_lock.h"

namespace leftover {

using record::SlotFlag;
using record::State;

namespace {

// The key + 1; 0 not made yet.
std::atomic<std::uint64_t> end_key{0};
constexpr std::uint64_t no_key = ~0ULL;  // none was to be had

// A slot, in one word for the thread's argument: id, generation, some of the record's serial, and
// whether that record is the inherited one, which it stays even if we open one of our own meanwhile.
void* word_of(const SlotRef& ref) {
    const std::uintptr_t inherited = ref.mapping == fresh.inherited ? 1 : 0;
    const std::uintptr_t serial = ref.mapping->serial & 0x7f;
    return reinterpret_cast<void*>(inherited << 63 | serial << 56 | static_cast<std::uintptr_t>(ref.generation) << 32 |
                                   ref.id);
}

SlotRef slot_of(void* pointer) {
    const auto word = reinterpret_cast<std::uintptr_t>(pointer);
    Mapping& mapping = word >> 63 != 0 ? inherited_record() : own_record();
    if ((mapping.serial & 0x7f) != (word >> 56 & 0x7f)) return {};
    SlotRef ref = slot_at(mapping, static_cast<record::SlotId>(word));
    ref.generation = static_cast<std::uint32_t>(word >> 32) & 0xffffff;
    return ref;
}

// The key's destructor. In a forked child the slot is the parent's, whose thread goes on.
void thread_ended(void* word) {
    const SlotRef ref = slot_of(word);
    if (!ref || shares_parent_memory() || is_new_child()) return;
    end_unwind();  // it may have been cancelled in the middle of one
    record::Slot& slot = *ref.slot;
    if (slot.pid != static_cast<std::uint32_t>(identity.pid)) return;
    if (slot.state.load(std::memory_order_acquire) >> 8 != ref.generation) return;
    const char* name = current_thread_name();
    const std::size_t size = __builtin_strlen(name);
    __builtin_memcpy(slot.name, name, size);
    slot.name_size = static_cast<std::uint16_t>(size);
    const std::uint8_t flags = slot.flags.fetch_or(SlotFlag::finished, std::memory_order_acq_rel);
    if ((flags & SlotFlag::detached) != 0) release_slot(ref);
}

// Whoever is first makes it. Nobody waits for anybody: a handler may have interrupted the one who is at it, and in a
// forked child it may be nobody.
bool have_key() {
    std::uint64_t known = end_key.load(std::memory_order_acquire);
    if (known != 0) return known != no_key;
    const Uncancelled whole;
    pthread_key_t made = 0;
    const bool is_made = pthread_key_create(&made, thread_ended) == 0;
    const std::uint64_t own = is_made ? std::uint64_t{made} + 1 : no_key;
    if (end_key.compare_exchange_strong(known, own, std::memory_order_acq_rel)) return is_made;
    if (is_made) pthread_key_delete(made);
    return known != no_key;
}

// First thing in the new thread: its slot is found by its number from now on.
void begin(void* word, void*& routine, void*& argument) {
    const SlotRef ref = slot_of(word);
    record::Slot& slot = *ref.slot;
    routine = reinterpret_cast<void*>(slot.b.load(std::memory_order_acquire));
    argument = reinterpret_cast<void*>(slot.c.load(std::memory_order_acquire));
    // The kernel gave it its creator's name, unless somebody has renamed a thread since.
    ThreadState& self = thread_state;
    copy_bytes(self.name, slot.thread_name, sizeof self.name);
    copy_bytes(&self.name_epoch, slot.name, sizeof self.name_epoch);
    slot.value.store(static_cast<std::uint32_t>(current_tid()), std::memory_order_relaxed);
    slot.a.store(pthread_self(), std::memory_order_release);
    index_slot_by_number(ref);
    pthread_setspecific(static_cast<pthread_key_t>(end_key.load(std::memory_order_relaxed) - 1), word);
}

void* run_thread(void* word) {
    void* routine;
    void* argument;
    begin(word, routine, argument);
    return reinterpret_cast<void* (*)(void*)>(routine)(argument);
}

int run_c11_thread(void* word) {
    void* routine;
    void* argument;
    begin(word, routine, argument);
    return reinterpret_cast<int (*)(void*)>(routine)(argument);
}

SlotRef intend_thread(void* routine, void* argument, bool is_detached) {
    if (!have_key()) return {};
    SlotRef ref = claim_slot(Kind::thread);
    if (!ref) return ref;
    record::Slot& slot = *ref.slot;
    slot.b.store(reinterpret_cast<std::uintptr_t>(routine), std::memory_order_relaxed);
    slot.c.store(reinterpret_cast<std::uintptr_t>(argument), std::memory_order_relaxed);
    slot.d.store(to_frame(*ref.mapping, reinterpret_cast<std::uintptr_t>(routine) + 1) - 1, std::memory_order_relaxed);
    std::uint8_t flags = is_detached ? record::detached : 0;
    if (in_python(reinterpret_cast<std::uintptr_t>(routine))) flags |= record::interpreters;
    slot.flags.store(flags, std::memory_order_relaxed);
    // Which renaming slot.thread_name is as of: for begin(). The thread's own name comes here at its end.
    copy_bytes(slot.name, &thread_state.name_epoch, sizeof thread_state.name_epoch);
    slot.stack.store(capture_stack(*ref.mapping), std::memory_order_relaxed);
    publish_slot(ref, State::intent);
    return ref;
}

void thread_created(const SlotRef& ref, bool created, const pthread_t* thread) {
    if (!created) {
        release_slot(ref);
        return;
    }
    // A detached one may have ended and its slot be another's by now. One that may be joined is still
    // there, and who joins it next must find it even if it has not begun to run. (If it has, *thread may
    // be gone already.)
    confirm_slot(ref);
    record::Slot& slot = *ref.slot;
    if ((slot.flags.load(std::memory_order_acquire) & SlotFlag::detached) != 0) return;
    if (slot.a.load(std::memory_order_acquire) == 0) slot.a.store(*thread, std::memory_order_release);
    index_slot_by_number(ref);
}

void joined(const SlotRef& ref) {
    if (ref) release_slot(ref);
}

// Looked up before the call: once it returns, the number may be another thread's.
SlotRef find_thread(pthread_t thread) {
    Entry entry(Kind::thread);
    return entry ? find_slot(Kind::thread, static_cast<std::uint64_t>(thread)) : SlotRef{};
}

void detach(const SlotRef& ref) {
    if (!ref) return;
    const std::uint8_t flags = ref.slot->flags.fetch_or(SlotFlag::detached, std::memory_order_acq_rel);
    if ((flags & SlotFlag::finished) != 0) release_slot(ref);
}

constexpr std::uint32_t both_kinds = record::bit(Kind::thread) | record::bit(Kind::detached_thread);

}  // namespace

HOOK(int, pthread_create, pthread_t* thread, const pthread_attr_t* attributes, void* (*routine)(void*),
     void* argument) {
    Entry entry(both_kinds);
    if (!entry) return real_pthread_create(thread, attributes, routine, argument);
    int state = PTHREAD_CREATE_JOINABLE;
    if (attributes != nullptr) pthread_attr_getdetachstate(attributes, &state);
    const SlotRef ref =
        intend_thread(reinterpret_cast<void*>(routine), argument, state == PTHREAD_CREATE_DETACHED);
    if (!ref) return real_pthread_create(thread, attributes, routine, argument);
    const int error = real_pthread_create(thread, attributes, run_thread, word_of(ref));
    thread_created(ref, error == 0, thread);
    return error;
}

HOOK(int, thrd_create, thrd_t* thread, thrd_start_t routine, void* argument) {
    Entry entry(both_kinds);
    const SlotRef ref = entry ? intend_thread(reinterpret_cast<void*>(routine), argument, false) : SlotRef{};
    if (!ref) return real_thrd_create(thread, routine, argument);
    const int result = real_thrd_create(thread, run_c11_thread, word_of(ref));
    thread_created(ref, result == thrd_success, thread);
    return result;
}

HOOK(int, pthread_join, pthread_t thread, void** result) {
    const SlotRef ref = find_thread(thread);
    const int error = real_pthread_join(thread, result);
    if (error == 0) joined(ref);
    return error;
}

HOOK(int, pthread_tryjoin_np, pthread_t thread, void** result) {
    const SlotRef ref = find_thread(thread);
    const int error = real_pthread_tryjoin_np(thread, result);
    if (error == 0) joined(ref);
    return error;
}

HOOK(int, pthread_timedjoin_np, pthread_t thread, void** result, const struct timespec* until) {
    const SlotRef ref = find_thread(thread);
    const int error = real_pthread_timedjoin_np(thread, result, until);
    if (error == 0) joined(ref);
    return error;
}

HOOK(int, pthread_clockjoin_np, pthread_t thread, void** result, clockid_t clock, const struct timespec* until) {
    const SlotRef ref = find_thread(thread);
    const int error = real_pthread_clockjoin_np(thread, result, clock, until);
    if (error == 0) joined(ref);
    return error;
}

HOOK(int, thrd_join, thrd_t thread, int* result) {
    const SlotRef ref = find_thread(thread);
    const int error = real_thrd_join(thread, result);
    if (error == thrd_success) joined(ref);
    return error;
}

HOOK(int, pthread_detach, pthread_t thread) {
    const SlotRef ref = find_thread(thread);
    const int error = real_pthread_detach(thread);
    if (error == 0) detach(ref);
    return error;
}

HOOK(int, thrd_detach, thrd_t thread) {
    const SlotRef ref = find_thread(thread);
    const int error = real_thrd_detach(thread);
    if (error == thrd_success) detach(ref);
    return error;
}

// Names are kept per thread until somebody changes one.
HOOK(int, pthread_setname_np, pthread_t thread, const char* name) {
    if (!ready()) return real_pthread_setname_np(thread, name);
    const int error = real_pthread_setname_np(thread, name);
    thread_name_epoch.fetch_add(1, std::memory_order_relaxed);
    return error;
}

}  // namespace leftover
