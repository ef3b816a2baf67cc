#include "preload/core/process.h"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/prctl.h>

#include <cerrno>

#include "preload/core/clock.h"
#include "preload/core/environment.h"
#include "preload/core/ending.h"
#include "preload/core/elf_file.h"
#include "preload/core/handed.h"
#include "preload/core/hook.h"
#include "preload/core/loadable.h"
#include "preload/core/mapping.h"
#include "preload/core/proc_self.h"
#include "preload/core/process_limit.h"
#include "preload/core/text.h"
#include "preload/core/undisturbed.h"
#include "preload/core/unwind_lock.h"
#include "preload/core/unwinder_modules.h"
#include "preload/core/walks.h"
#include "preload/hand/hand.h"
#include "preload/python/frames.h"

extern "C" char __libc_single_threaded;
extern "C" __attribute__((weak)) void __tsan_init();

namespace leftover {

constinit thread_local ThreadState thread_state;

constinit Options options;
constinit bool wiped_on_fork = false;
constinit std::atomic<bool> recording{false};
constinit std::atomic<bool> has_had_scopes{false};
constinit std::atomic<std::uint32_t> initialised{0};

namespace {

std::atomic<pid_t> initialiser{0};

// Written by a process before its first fork, for its children, in which `fresh` is empty.
pid_t settled_pid = 0;
bool inherited_no_unwind = false;

void before_fork() { thread_state.sound_locks = stop_unwinders(); }
void after_fork_in_parent() {
    if (is_new_child()) adopt_fork();  // whom a handler forked that interrupted this very fork
    let_unwinders_go();
}
// A handler of somebody's that runs before ours may have called a hook, which has adopted the fork and
// perhaps opened the record that a new thread is using by now (ThreadSanitizer's starts one).
void after_fork_in_child() {
    if (is_new_child()) adopt_fork();
}

void find_library() {
    Dl_info info;
    if (dladdr(reinterpret_cast<void*>(&find_library), &info) == 0 || info.dli_fname == nullptr) return;
    Text path(options.library, sizeof options.library);
    if (info.dli_fname[0] != '/') {
        char cwd[400];
        if (sys::call(SYS_getcwd, cwd, sizeof cwd) <= 0) return;
        path << cwd << '/';
    }
    path << info.dli_fname;
}

void find_loader() {
    for (const link_map* module = _r_debug.r_map; module != nullptr; module = module->l_next) {
        if (module->l_name != nullptr && base_name(module->l_name) == elf::own_loader) return know_own_loader(module->l_name);
    }
}

// "1;held=0.3;id=ID;launcher=PID;reaper=PID;root=PID.TICKS;depth=64;python=1;clean=0;limited=0;kinds=7fff;dir=/to/the/end".
// False when it is not of that form.
bool read_internal(std::string_view text) {
    if (!text.starts_with("1;")) return false;
    text.remove_prefix(2);
    while (!text.empty()) {
        const std::size_t equals = text.find('=');
        if (equals == std::string_view::npos) return false;
        const std::string_view key = text.substr(0, equals);
        text.remove_prefix(equals + 1);
        if (key == "dir") {
            Text folder(options.folder, sizeof options.folder);
            folder << text;
            return !folder.cut() && options.folder[0] == '/';
        }
        const std::size_t end = text.find(';');
        if (end == std::string_view::npos) return false;
        std::string_view value = text.substr(0, end);
        text.remove_prefix(end + 1);
        std::uint64_t number = 0;
        if (key == "id") {
            Text(options.session, sizeof options.session) << value;
            continue;
        }
        if (key == "held") {
            while (options.held_count < most_held && take_number(value, number)) {
                options.held[options.held_count++] = static_cast<std::uint32_t>(number);
                value.remove_prefix(value.empty() ? 0 : 1);
            }
            continue;
        }
        if (!take_number(value, number, key == "kinds" ? 16 : 10)) return false;
        if (key == "launcher") options.launcher = static_cast<pid_t>(number);
        if (key == "reaper") options.reaper = static_cast<pid_t>(number);
        if (key == "depth") options.depth = static_cast<std::uint32_t>(number < max_depth ? number : max_depth);
        if (key == "python") options.python = number != 0;
        if (key == "clean") options.clean = number != 0;
        if (key == "limited") options.limited = number != 0;
        if (key == "kinds") options.kinds = static_cast<std::uint32_t>(number);
        if (key == "root") {
            options.by_hand = true;
            options.root_pid = static_cast<pid_t>(number);
            if (value.starts_with('.')) value.remove_prefix(1);
            take_number(value, options.root_ticks);
        }
    }
    return false;
}

// The launcher adopts orphans, and one that executes another program then looks like the program it
// started itself. So only that one is told `launcher`; all that descend from it are told `reaper`. What
// is held is put in anew at each exec.
void pass_on_internal(std::string_view text) {
    constexpr std::string_view launcher = ";launcher=";
    char changed[1536];
    Text result(changed, sizeof changed);
    if (text.starts_with("1;held=")) {
        result << '1';
        const std::size_t end = text.find(';', 2);
        text = behind(text, end < text.size() ? end : text.size());
    }
    const std::size_t at = text.find(launcher);
    if (at == std::string_view::npos) {
        result << text;
    } else {
        result << std::string_view(text.data(), at) << ";reaper=" << behind(text, at + launcher.size());
    }
    set_internal(changed);
}

void read_options() {
    find_library();
    const Variables variables = read_variables();
    if (variables.internal != nullptr) {
        options.active = read_internal(variables.internal);
        if (options.active) pass_on_internal(variables.internal);
        // Its creator is gone: the record says "not known".
        if (options.reaper != 0 && identity.ppid == options.reaper) identity.ppid = 0;
        if (options.by_hand) options.active = hand::configure(variables.options) && options.active;
    } else {
        options.by_hand = true;
        options.active = hand::configure(variables.options) && hand::begin_session();
    }
    // ThreadSanitizer itself opens files, in threads of the program. The unwinder keeps a cache for each thread
    // and locks a mutex to give it back when ThreadSanitizer has done with the thread: it would crash.
    if (&__tsan_init != nullptr) options.kinds &= ~record::bit(record::Kind::file_descriptor);
    if (options.active) hide_variables(options.by_hand);
}

// Early, from a hook that another library's constructor called, or from our own constructor.
void initialise_once() {
    bind_hooks();
    python::each_module = each_module;
    identity.pid = sys::getpid();
    identity.ppid = sys::getppid();
    // In a program that gains privileges the environment is somebody else's.
    if (getauxval(AT_SECURE) != 0) return;
    read_options();
    if (!options.active) return;
    find_loader();
    fresh.alive.store(1, std::memory_order_relaxed);
    wiped_on_fork = sys::call(SYS_madvise, &fresh, sizeof fresh, MADV_WIPEONFORK) == 0;
    // By hand a child must know its signals for its own at once.
    const bool at_once = options.by_hand || !wiped_on_fork;
    pthread_atfork(before_fork, after_fork_in_parent, at_once ? after_fork_in_child : nullptr);
    watch_exit();
    recording.store(true, std::memory_order_release);
    if (options.held_count != 0) take_over_handed();
    if (options.limited) open_process_limit();
}

__attribute__((constructor)) void construct() {
    const int saved = errno;
    initialise();
    if (options.active) {
        if (options.python) python::detect(nullptr);
        // The session's first process shows that it is instrumented, whatever it does later.
        if (options.by_hand ? identity.pid == options.root_pid
                            : options.launcher != 0 && identity.ppid == options.launcher) writable_record();
        if (options.by_hand) hand::start();
    }
    errno = saved;
}

}  // namespace

void initialise() {
    std::uint32_t state = 0;
    if (initialised.compare_exchange_strong(state, 1, std::memory_order_acq_rel)) {
        const int saved = errno;
        initialiser.store(sys::gettid(), std::memory_order_relaxed);
        initialise_once();
        initialised.store(2, std::memory_order_release);
        errno = saved;
        return;
    }
    // Another library's constructor has started a thread already: it waits until the names are bound.
    while (initialised.load(std::memory_order_acquire) == 1 &&
           initialiser.load(std::memory_order_relaxed) != sys::gettid()) {
        sys::yield();
    }
}

void know_executable() {
    if (options.executable[0] != 0) return;
    const long size = sys::readlink("/proc/self/exe", options.executable, sizeof options.executable - 1);
    options.executable[size > 0 ? size : 0] = 0;
}

void settle() {
    if (settled_pid == identity.pid) return;
    settled_pid = identity.pid;
    share_walks();
}

bool has_settled() { return settled_pid == identity.pid; }

void adopt_fork() {
    const Undisturbed whole;
    if (!is_new_child()) return;  // a signal handler has done it
    ThreadState& self = thread_state;
    // libc's fork ran our handlers, in this thread, and no other was unwinding.
    const bool sound_locks = self.forking != 0 && self.sound_locks;
    const pid_t pid = sys::getpid();
    if (!wiped_on_fork) __builtin_memset(static_cast<void*>(&fresh), 0, sizeof fresh);
    identity.pid = pid;
    identity.ppid = settled_pid != 0 ? settled_pid : sys::getppid();
    if (!sound_locks && __libc_single_threaded == 0) inherited_no_unwind = true;
    identity.no_unwind = inherited_no_unwind;
    // The slot that the parent wrote for us. Nothing is written there now: the first write to a page of
    // the inherited file would cost a child that creates nothing more than all the rest.
    identity.slot = self.child_slot;
    self.child_slot = 0;
    inherit_records();
    self.forking = 0;
    // A signal handler may have forked us, in the middle of a capture. Without the unwinder it cannot be told whether
    // it has left the hook that it interrupted: it has, as far as our books are concerned.
    if (identity.no_unwind) {
        forget_unwind();
        self.guard = 0;
        self.capturing = 0;
    } else {
        adopt_unwind();
    }
    leave_parents_scopes();
    fresh.alive.store(1, std::memory_order_release);
    if (options.by_hand) hand::after_fork();
}

pid_t current_tid() {
    ThreadState& self = thread_state;
    if (self.tid_owner != identity.pid) {
        self.tid = sys::gettid();
        self.tid_owner = identity.pid;
    }
    return self.tid;
}

constinit std::atomic<std::uint32_t> thread_name_epoch{1};

const char* current_thread_name() {
    ThreadState& self = thread_state;
    const std::uint32_t epoch = thread_name_epoch.load(std::memory_order_relaxed);
    if (self.name_epoch != epoch) {
        sys::call(SYS_prctl, PR_GET_NAME, self.name);
        self.name_epoch = epoch;
    }
    return self.name;
}

}  // namespace leftover
