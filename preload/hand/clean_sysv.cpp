#include "preload/hand/clean_sysv.h"

#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <time.h>

#include <cerrno>

#include "preload/core/clock.h"
#include "preload/core/process.h"
#include "preload/core/sys.h"
#include "preload/hand/process_facts.h"

namespace leftover::hand {

namespace {

constexpr std::uint64_t second = 1'000'000'000;

// Whether the process that last worked with an object at that time is still there. The number may have
// been given to somebody else since.
bool lives(int pid, std::int64_t used_at) {
    constexpr std::uint64_t ticks_per_second = 100;  // USER_HZ
    if (pid <= 0 || used_at == 0 || pid == identity.pid) return false;
    ProcessFacts facts;
    if (!read_process(pid, facts) || !facts.is_alive()) return false;
    const std::uint64_t booted = (realtime_ns() - clock_ns(CLOCK_BOOTTIME)) / second;
    return booted + facts.start_ticks / ticks_per_second <= static_cast<std::uint64_t>(used_at);
}

// As the leak tells: an id comes back only after thousands of others.
bool is_same(const Leak& leak, key_t key, std::int64_t changed) {
    return static_cast<std::uint32_t>(key) == leak.key && changed >= static_cast<std::int64_t>(leak.changed);
}

// What IPC_STAT said: the object is not ours to look at, or is gone.
Attempt refused(long error) {
    return error == -EACCES ? in_use("perhaps in use: it may not be looked at") : gone();
}

Attempt outcome_of(long result, std::uint64_t bytes) {
    if (result == -EINVAL || result == -EIDRM) return gone();
    return result == 0 ? done(bytes) : failed("cannot be removed");
}

Attempt remove_memory(int id, const Leak& leak, const Users& users) {
    struct shmid_ds facts;
    const long got = sys::call(SYS_shmctl, id, IPC_STAT, &facts);
    if (got != 0) return refused(got);
    if (!is_same(leak, facts.shm_perm.__key, facts.shm_ctime)) return gone();
    if (facts.shm_nattch > users.own_attachments(leak.id)) return in_use("in use: another process is attached");
    return outcome_of(sys::call(SYS_shmctl, id, IPC_RMID, 0L), facts.shm_segsz);
}

Attempt remove_semaphores(int id, const Leak& leak) {
    struct semid_ds facts;
    const long got = sys::call(SYS_semctl, id, 0L, IPC_STAT, &facts);
    if (got != 0) return refused(got);
    if (!is_same(leak, facts.sem_perm.__key, facts.sem_ctime)) return gone();
    for (unsigned long i = 0; i < facts.sem_nsems; ++i) {
        if (sys::call(SYS_semctl, id, i, GETNCNT, 0L) > 0 || sys::call(SYS_semctl, id, i, GETZCNT, 0L) > 0) {
            return in_use("in use: a process waits for it");
        }
        if (lives(static_cast<int>(sys::call(SYS_semctl, id, i, GETPID, 0L)), facts.sem_otime)) {
            return in_use("in use by another process");
        }
    }
    return outcome_of(sys::call(SYS_semctl, id, 0L, IPC_RMID, 0L), 0);
}

Attempt remove_queue(int id, const Leak& leak) {
    struct msqid_ds facts;
    const long got = sys::call(SYS_msgctl, id, IPC_STAT, &facts);
    if (got != 0) return refused(got);
    if (!is_same(leak, facts.msg_perm.__key, facts.msg_ctime)) return gone();
    if (lives(facts.msg_lspid, facts.msg_stime) || lives(facts.msg_lrpid, facts.msg_rtime)) {
        return in_use("in use by another process");
    }
    return outcome_of(sys::call(SYS_msgctl, id, IPC_RMID, 0L), 0);
}

}  // namespace

Attempt remove_sysv(const Leak& leak, const Users& users) {
    const int id = static_cast<int>(leak.id);
    switch (leak.kind) {
        case Kind::sysv_shared_memory:
            return remove_memory(id, leak, users);
        case Kind::sysv_semaphore:
            return remove_semaphores(id, leak);
        default:
            return remove_queue(id, leak);
    }
}

}  // namespace leftover::hand
