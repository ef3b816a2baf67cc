#include "reporter/clean/sysv.h"

#include <fmt/format.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "reporter/kernel/machine.h"
#include "reporter/kernel/process.h"
#include "reporter/kernel/sysv.h"

namespace leftover::clean {

namespace {

constexpr std::int64_t second = 1'000'000'000;

std::optional<kernel::SysvObject> find(const Leak& leak) {
    for (const kernel::SysvObject& object : kernel::list_sysv(leak.kind)) {
        if (static_cast<std::uint64_t>(object.id) != leak.details.more->id) continue;
        // An id comes back only after thousands of others. SETVAL and IPC_SET move the change time on.
        const bool same = object.key == leak.details.more->key.value_or(object.key) &&
                          object.changed >= leak.details.more->changed.value_or(object.changed);
        return same ? std::optional(object) : std::nullopt;
    }
    return std::nullopt;
}

// "pid 7 (postgres)" when the process that last worked with an object at that time is still there. The
// number may have been given to somebody else since.
std::optional<std::string> living(int pid, std::int64_t used_at) {
    if (pid <= 0 || used_at == 0 || pid == ::getpid()) return std::nullopt;
    const auto stat = kernel::read_stat(pid);
    if (!stat || !kernel::is_alive(*stat)) return std::nullopt;
    if (kernel::time_of_ticks(stat->start_ticks) / second > used_at) return std::nullopt;
    return fmt::format("pid {} ({})", pid, kernel::program_name(*stat));
}

union SemaphoreArgument {
    int value;
    semid_ds* facts;
};

// Why it is to be left alone; empty: it is not.
std::string use_of_semaphores(int id) {
    semid_ds facts{};
    SemaphoreArgument argument{};
    argument.facts = &facts;
    if (::semctl(id, 0, IPC_STAT, argument) != 0) {
        return errno == EACCES ? "perhaps in use: it may not be looked at" : "";
    }
    for (int i = 0; i < static_cast<int>(facts.sem_nsems); ++i) {
        if (::semctl(id, i, GETNCNT) > 0 || ::semctl(id, i, GETZCNT) > 0) {
            return "in use: a process waits for it";
        }
        if (const auto user = living(::semctl(id, i, GETPID), facts.sem_otime)) {
            return "in use by " + *user;
        }
    }
    return {};
}

std::string use_of_queue(int id) {
    msqid_ds facts{};
    if (::msgctl(id, IPC_STAT, &facts) != 0) {
        return errno == EACCES ? "perhaps in use: it may not be looked at" : "";
    }
    if (const auto user = living(facts.msg_lspid, facts.msg_stime)) return "in use by " + *user;
    if (const auto user = living(facts.msg_lrpid, facts.msg_rtime)) return "in use by " + *user;
    return {};
}

std::string use_of_memory(const kernel::SysvObject& object, const Users& users) {
    if (object.attached == 0) return {};
    if (const auto user = users.of_sysv(object.id)) return "in use by " + *user;
    return fmt::format("in use: attached {}", object.attached == 1 ? "once" : fmt::format("{} times", object.attached));
}

std::string use_of(const kernel::SysvObject& object, const Users& users) {
    const int id = static_cast<int>(object.id);
    if (object.kind == Kind::sysv_shared_memory) return use_of_memory(object, users);
    return object.kind == Kind::sysv_semaphore ? use_of_semaphores(id) : use_of_queue(id);
}

int remove(Kind kind, int id) {
    if (kind == Kind::sysv_shared_memory) return ::shmctl(id, IPC_RMID, nullptr);
    return kind == Kind::sysv_semaphore ? ::semctl(id, 0, IPC_RMID) : ::msgctl(id, IPC_RMID, nullptr);
}

}  // namespace

Outcome remove_sysv(const Leak& leak, const Users& users) {
    const auto object = find(leak);
    if (!object) return gone();
    if (std::string use = use_of(*object, users); !use.empty()) return in_use(std::move(use));
    if (remove(leak.kind, static_cast<int>(object->id)) != 0) {
        if (errno == EINVAL || errno == EIDRM) return gone();
        return failed_by_errno("cannot remove it", errno);
    }
    return done(leak.kind == Kind::sysv_shared_memory ? object->bytes : 0);
}

}  // namespace leftover::clean
