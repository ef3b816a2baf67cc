// fork and its kin. vfork is in vfork_*.S.
#include <pty.h>
#include <sched.h>
#include <spawn.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>

#include "preload/core/ending.h"
#include "preload/core/environment.h"
#include "preload/core/process_limit.h"
#include "preload/hooks/child.h"
#include "preload/hooks/descriptor.h"
#include "preload/hooks/quiet.h"

namespace leftover {

namespace {

// Children are recorded for a program's own call; the guard is not held over the call itself, because
// the child goes on from it with the program's own work.
SlotRef intend() {
    if (Entry entry(child_kinds); entry) return intend_child();
    thread_state.child_slot = 0;
    return {};
}

pid_t refuse() {
    errno = EAGAIN;
    return -1;
}

// Within the hook itself, or it would be the first frame of the stack, which has to bear the call's name.
__attribute__((always_inline)) inline pid_t fork_by(pid_t (*real)()) {
    const bool keeps_books = ready();
    ChildPlace place;
    if (place.refused()) return refuse();
    const record::SlotId interrupted = thread_state.child_slot;
    const SlotRef slot = keeps_books ? intend() : SlotRef{};
    const pid_t pid = real();
    if (pid == 0) {
        leave_parents_scopes();
        place.is_mine();
        return 0;
    }
    place.belongs_to(pid);
    if (keeps_books) child_created(slot, pid, interrupted);
    return pid;
}

}  // namespace

HOOK(pid_t, fork, ) { return fork_by(real_fork); }

HOOK(pid_t, __fork, ) { return fork_by(real___fork); }

HOOK(pid_t, _Fork, ) {
    const pid_t pid = fork_by(real__Fork);
    if (pid == 0 && recording.load(std::memory_order_relaxed) && !shares_parent_memory() && is_new_child()) adopt_fork();
    return pid;
}

HOOK(pid_t, forkpty, int* master, char* name, const struct termios* terminal, const struct winsize* window) {
    if (!ready()) return real_forkpty(master, name, terminal, window);
    ChildPlace place;
    if (place.refused()) return refuse();
    const record::SlotId interrupted = thread_state.child_slot;
    const SlotRef slot = intend();
    const pid_t pid = real_forkpty(master, name, terminal, window);
    if (pid == 0) {
        leave_parents_scopes();
        place.is_mine();
    } else {
        place.belongs_to(pid);
        child_created(slot, pid, interrupted);
    }
    if (pid > 0) opened(*master, "/dev/ptmx");
    return pid;
}

// The parent ends in there, by an _exit that nobody can see; the child comes back.
HOOK(int, daemon, int nochdir, int noclose) {
    if (!ready()) return real_daemon(nochdir, noclose);
    ChildPlace place;
    if (place.refused()) return refuse();
    const record::SlotId interrupted = thread_state.child_slot;
    const SlotRef slot = intend();
    const pid_t before = identity.pid;
    expect_end(record::Ending::code, 0);
    const int result = real_daemon(nochdir, noclose);
    const int saved = errno;
    ready();
    if (identity.pid == before) {
        place.belongs_to(-1);
        take_back_end();
        child_created(slot, -1, interrupted);
    } else if (slot) {
        // We are the child, and nobody else is left to say that the slot is true.
        SlotRef own;
        if (fresh.inherited != nullptr) own = slot_at(*fresh.inherited, identity.slot);
        child_created(own, identity.pid, 0);
    }
    if (identity.pid != before) {
        leave_parents_scopes();
        place.is_mine();
    }
    errno = saved;
    return result;
}

HOOK(int, clone, int (*function)(void*), void* stack, int flags, void* argument, ...) {
    va_list rest;
    va_start(rest, argument);
    pid_t* parent_tid = va_arg(rest, pid_t*);
    void* tls = va_arg(rest, void*);
    pid_t* child_tid = va_arg(rest, pid_t*);
    va_end(rest);
    const bool is_ready = ready();
    if ((flags & CLONE_THREAD) != 0) return real_clone(function, stack, flags, argument, parent_tid, tls, child_tid);
    ChildPlace place;
    if (place.refused()) return refuse();
    if (!is_ready) {
        const int child = real_clone(function, stack, flags, argument, parent_tid, tls, child_tid);
        place.belongs_to(child);
        return child;
    }
    const bool shares = (flags & CLONE_VM) != 0;
    const record::SlotId interrupted = thread_state.child_slot;
    const SlotRef slot = intend();
    // As long as such a child lives, every hook asks who it is running in.
    if (shares) fresh.memory_sharers.fetch_add(1, std::memory_order_relaxed);
    const int pid = real_clone(function, stack, flags, argument, parent_tid, tls, child_tid);
    const int saved = errno;
    // With CLONE_VFORK the child has exec'd or ended by now; without, nobody tells us when it does.
    if (shares && (pid < 0 || (flags & CLONE_VFORK) != 0)) fresh.memory_sharers.fetch_sub(1, std::memory_order_relaxed);
    place.belongs_to(pid);
    child_created(slot, pid, interrupted);
    errno = saved;
    return pid;
}

namespace {

using Spawn = int (*)(pid_t*, const char*, const posix_spawn_file_actions_t*, const posix_spawnattr_t*,
                      char* const*, char* const*);

// Some file actions change the child's folder first, and a relative path means another file there than here.
constinit std::atomic<bool> actions_change_folder{false};

// `path` is what will be executed, `file` what the caller said. In a frame of its own, for its alloca.
__attribute__((noinline)) int spawn(Spawn real, pid_t* result, const char* file, const char* path,
                                    const posix_spawn_file_actions_t* actions, const posix_spawnattr_t* attributes,
                                    char* const* argv, char* const* envp) {
    ChildPlace place;
    if (place.refused()) return EAGAIN;
    // Whether that one can have the shim nobody knows.
    const bool elsewhere = actions != nullptr && sys::readable(path) && path[0] != '/' &&
                           actions_change_folder.load(std::memory_order_relaxed);
    const EnvironmentPlan plan(AT_FDCWD, elsewhere ? nullptr : path, envp);
    char* const* environment = plan.build(__builtin_alloca(plan.bytes()));
    const QuietPlan quiet(argv);
    char* const* arguments = quiet.build(__builtin_alloca(quiet.bytes()));
    const record::SlotId interrupted = thread_state.child_slot;
    const SlotRef slot = intend();
    pid_t pid = -1;
    bool instrumented = plan.instrumented();
    unsigned reason = elsewhere ? static_cast<unsigned>(record::Reason::unknown) : plan.reason();
    int error = real(&pid, file, actions, attributes, arguments, environment);
    // What we add may be what is too much.
    if (error == E2BIG && plan.adds() && real(&pid, file, actions, attributes, argv, envp) == 0) {
        error = 0;
        instrumented = false;
        reason = static_cast<unsigned>(record::Reason::unknown);
    }
    if (error == 0 && slot) {
        std::string_view name(path);
        if (name.size() > record::inline_name_size) name.remove_prefix(name.size() - record::inline_name_size);
        __builtin_memcpy(slot.slot->name, name.data(), name.size());
        slot.slot->name_size = static_cast<std::uint16_t>(name.size());
        slot.slot->flags.store(
            static_cast<std::uint8_t>(instrumented ? record::execed | record::instrumented : record::execed),
            std::memory_order_relaxed);
        slot.slot->value.store(reason, std::memory_order_relaxed);
    }
    place.belongs_to(error == 0 ? pid : -1);
    child_created(slot, error == 0 ? pid : -1, interrupted);
    if (error == 0 && result != nullptr) *result = pid;
    return error;
}

}  // namespace

HOOK(int, posix_spawn_file_actions_addchdir_np, posix_spawn_file_actions_t* actions, const char* path) {
    if (ready()) actions_change_folder.store(true, std::memory_order_relaxed);
    return real_posix_spawn_file_actions_addchdir_np(actions, path);
}

HOOK(int, posix_spawn_file_actions_addfchdir_np, posix_spawn_file_actions_t* actions, int fd) {
    if (ready()) actions_change_folder.store(true, std::memory_order_relaxed);
    return real_posix_spawn_file_actions_addfchdir_np(actions, fd);
}

// Of two versions the older one runs scripts without #! through the shell.
#if defined(__x86_64__)
#define SPAWN_HOOK(NAME, ...) HOOK_VERSION(int, NAME, "GLIBC_2.15", __VA_ARGS__)
#define OLD_SPAWN_HOOK(NAME, ID, ...) HOOK_OLD(int, NAME, ID, "GLIBC_2.2.5", __VA_ARGS__)
#else
#define SPAWN_HOOK(NAME, ...) HOOK(int, NAME, __VA_ARGS__)
#endif

#define SPAWN(REAL)                                                                               \
    if (!ready() || !options.active) return REAL(pid, path, actions, attributes, argv, envp);     \
    return spawn(REAL, pid, path, path, actions, attributes, argv, envp);
#define SPAWNP(REAL)                                                                              \
    if (!ready() || !options.active) return REAL(pid, file, actions, attributes, argv, envp);     \
    char path[512];                                                                               \
    return spawn(REAL, pid, file, search_path(file, path, sizeof path), actions, attributes, argv, envp);

SPAWN_HOOK(posix_spawn, pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions,
           const posix_spawnattr_t* attributes, char* const* argv, char* const* envp) {
    SPAWN(real_posix_spawn)
}

SPAWN_HOOK(posix_spawnp, pid_t* pid, const char* file, const posix_spawn_file_actions_t* actions,
           const posix_spawnattr_t* attributes, char* const* argv, char* const* envp) {
    SPAWNP(real_posix_spawnp)
}

#ifdef OLD_SPAWN_HOOK
OLD_SPAWN_HOOK(posix_spawn, old_posix_spawn, pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions,
               const posix_spawnattr_t* attributes, char* const* argv, char* const* envp) {
    SPAWN(real_old_posix_spawn)
}

OLD_SPAWN_HOOK(posix_spawnp, old_posix_spawnp, pid_t* pid, const char* file, const posix_spawn_file_actions_t* actions,
               const posix_spawnattr_t* attributes, char* const* argv, char* const* envp) {
    SPAWNP(real_old_posix_spawnp)
}
#endif

}  // namespace leftover
