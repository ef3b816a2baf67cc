// System V shared memory, semaphore sets and message queues. They have an id, which is unique as long as
// the object lives and comes back only after thousands of others, and perhaps a key. Attaching, using
// and detaching are nobody's business: only IPC_RMID ends them.
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include <cerrno>
#include <cstdarg>

#include "preload/core/hook.h"
#include "preload/core/slots.h"
#include "preload/core/stacks.h"

namespace leftover {

using record::State;

namespace {

struct Request {
    Kind kind;
    key_t key;
    std::uint64_t size;  // bytes, or semaphores in the set; 0 for queues
    int flags;
};

// Before the call. Who finds it after a kill has to recognise the object without its id: by all that the
// kernel shows of it.
SlotRef intend(const Request& request) {
    const SlotRef ref = claim_slot(request.kind);
    if (!ref) return ref;
    record::Slot& slot = *ref.slot;
    slot.b.store(static_cast<std::uint32_t>(request.key), std::memory_order_relaxed);
    slot.c.store(request.size, std::memory_order_relaxed);
    slot.value.store(static_cast<std::uint32_t>(request.flags) & 0777, std::memory_order_relaxed);
    slot.stack.store(capture_stack(*ref.mapping), std::memory_order_relaxed);
    publish_slot(ref, State::intent);
    return ref;
}

void confirm(const SlotRef& ref, int id) {
    if (!ref) return;
    ref.slot->a.store(static_cast<std::uint32_t>(id), std::memory_order_relaxed);
    index_slot_by_number(ref);
    confirm_slot(ref);
}

void drop(const SlotRef& ref) {
    if (ref) release_slot(ref);
}

// An object may be removed between two looks, and made anew, again and again.
constexpr int most_tries = 64;

// `get(flags)` is the real call. Whether it created or found one, only IPC_EXCL tells. A key that has an
// object costs a second call, and the intent is gone before that: a kill in there created nothing.
template <class Get>
int get_object(const Request& request, Get get) {
    Entry entry(request.kind);
    const int flags = request.flags;
    const bool is_private = request.key == IPC_PRIVATE;  // creates, whatever the flags
    if (!entry || (!is_private && (flags & IPC_CREAT) == 0)) return get(flags);
    const int before = errno;
    for (int tries = 0; tries < most_tries; ++tries) {
        const SlotRef slot = intend(request);
        int id = get(is_private ? flags : flags | IPC_EXCL);
        if (id >= 0) {
            confirm(slot, id);
            return id;
        }
        drop(slot);
        if (errno != EEXIST || is_private || (flags & IPC_EXCL) != 0) return id;
        errno = before;
        id = get(flags & ~IPC_CREAT);
        if (id >= 0 || errno != ENOENT) return id;
        errno = before;
    }
    return get(flags);
}

// `remove()` is the real call.
template <class Remove>
int remove_object(Kind kind, int id, Remove remove) {
    Entry entry(kind);
    const SlotRef slot = entry ? find_slot(kind, static_cast<std::uint32_t>(id)) : SlotRef{};
    const int result = remove();
    if (result == 0) drop(slot);
    return result;
}

}  // namespace

HOOK(int, shmget, key_t key, std::size_t size, int flags) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    return get_object({Kind::sysv_shared_memory, key, size, flags},
                      [&](int with) { return real_shmget(key, size, with); });
}

HOOK(int, shmctl, int id, int command, struct shmid_ds* data) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    if (command != IPC_RMID) return real_shmctl(id, command, data);
    return remove_object(Kind::sysv_shared_memory, id, [&] { return real_shmctl(id, command, data); });
}

HOOK(int, semget, key_t key, int count, int flags) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    return get_object({Kind::sysv_semaphore, key, static_cast<std::uint32_t>(count), flags},
                      [&](int with) { return real_semget(key, count, with); });
}

// The fourth argument is a union of pointers and an int, which the program may leave out: passed on as
// the word that it is in every calling convention here.
HOOK(int, semctl, int id, int number, int command, ...) {
    va_list rest;
    va_start(rest, command);
    const auto argument = va_arg(rest, unsigned long);
    va_end(rest);
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    const auto real = reinterpret_cast<int (*)(int, int, int, ...)>(real_semctl);
    if (command != IPC_RMID) return real(id, number, command, argument);
    return remove_object(Kind::sysv_semaphore, id, [&] { return real(id, number, command, argument); });
}

HOOK(int, msgget, key_t key, int flags) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    return get_object({Kind::sysv_message_queue, key, 0, flags}, [&](int with) { return real_msgget(key, with); });
}

HOOK(int, msgctl, int id, int command, struct msqid_ds* data) {
    if (initialised.load(std::memory_order_acquire) != 2) initialise();
    if (command != IPC_RMID) return real_msgctl(id, command, data);
    return remove_object(Kind::sysv_message_queue, id, [&] { return real_msgctl(id, command, data); });
}

}  // namespace leftover
