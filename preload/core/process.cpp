#include "preload/core/process.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/auxv.h>

#include <cerrno>

#include "preload/core/clock.h"
#include "preload/core/environment.h"
#include "preload/core/ending.h"
#include "preload/core/hook.h"
#include "preload/core/mapping.h"
#include "preload/core/modules.h"
#include "preload/core/proc_self.h"
#include "preload/core/slots.h"
#include "preload/core/text.h"
#include "preload/core/unwind_lock.h"
#include "preload/hand/hand.h"
#include "preload/python/frames.h"

extern "C" char __libc_single_threaded;

namespace leftover {

constinit thread_local ThreadState thread_state;

constinit Options options;
constinit Identity identity;
constinit std::atomic<bool> recording{false};
constinit std::atomic<std::uint32_t> memory_sharers{0};
constinit std::atomic<std::uint32_t> initialised{0};

namespace {

// A page that the kernel empties in every forked child, however it was forked (MADV_WIPEONFORK): a raw
// clone runs no handler of anybody's, and still finds it empty.
struct Marker {
    std::atomic<std::uint32_t> alive;
};
Marker* marker = nullptr;

std::atomic<pid_t> initialiser{0};
bool forking_with_lock = false;

void before_fork() { forking_with_lock = stop_unwinders(); }
void after_fork_in_parent() { let_unwinders_go(); }
void after_fork_in_child() { adopt_fork(forking_with_lock); }

void make_marker() {
    auto* page = static_cast<Marker*>(
        sys::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (page == nullptr) return;
    if (sys::call(SYS_madvise, page, 4096, MADV_WIPEONFORK) != 0) {
        sys::munmap(page, 4096);
        return;
    }
    page->alive.store(1, std::memory_order_relaxed);
    marker = page;
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

// "1;id=ID;launcher=PID;root=PID.TICKS;depth=64;python=1;kinds=7fff;dir=/to/the/end". False when it is
// not of that form.
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
        if (!take_number(value, number, key == "kinds" ? 16 : 10)) return false;
        if (key == "launcher") options.launcher = static_cast<pid_t>(number);
        if (key == "depth") options.depth = static_cast<std::uint32_t>(number < max_depth ? number : max_depth);
        if (key == "python") options.python = number != 0;
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

void read_options() {
    find_library();
    const long size = sys::readlink("/proc/self/exe", options.executable, sizeof options.executable - 1);
    options.executable[size > 0 ? size : 0] = 0;
    const Variables variables = read_variables();
    if (variables.internal != nullptr) {
        options.active = read_internal(variables.internal);
        if (options.active) set_internal(variables.internal);
        if (options.by_hand) options.active = hand::configure(variables.options) && options.active;
    } else {
        options.by_hand = true;
        options.active = hand::configure(variables.options) && hand::begin_session();
    }
    if (options.active) hide_variables(options.by_hand);
}

// Early, from a hook that another library's constructor called, or from our own constructor.
void initialise_once() {
    bind_hooks();
    identity.pid = sys::getpid();
    identity.ppid = sys::getppid();
    // In a program that gains privileges the environment is somebody else's.
    if (getauxval(AT_SECURE) != 0) return;
    read_options();
    if (!options.active) return;
    make_marker();
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    watch_exit();
    recording.store(true, std::memory_order_release);
}

__attribute__((constructor)) void construct() {
    const int saved = errno;
    initialise();
    if (options.active) {
        if (options.python) python::detect(nullptr);
        // The session's first process shows that it is instrumented, whatever it does later.
        if (options.by_hand ? identity.pid == options.root_pid : identity.ppid == options.launcher) writable_record();
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

bool is_new_child() {
    if (marker != nullptr) return marker->alive.load(std::memory_order_relaxed) == 0;
    return sys::getpid() != identity.pid;
}

void adopt_fork(bool through_atfork) {
    identity.ppid = identity.pid;
    identity.pid = sys::getpid();
    ++identity.generation;
    identity.no_unwind = identity.no_unwind || (!through_atfork && __libc_single_threaded == 0);
    memory_sharers.store(0, std::memory_order_relaxed);
    if (marker != nullptr) marker->alive.store(1, std::memory_order_relaxed);
    if (inherit_records()) hand_down_modules();
    reset_unwinders();
    // The parent wrote a slot for us before it forked. It may be killed before it learns our number, so
    // we say it ourselves.
    identity.slot = thread_state.child_slot;
    thread_state.child_slot = 0;
    if (inherited_record) {
        if (const SlotRef slot = slot_at(inherited_record, identity.slot)) {
            slot.slot->c.store(boot_ticks(), std::memory_order_relaxed);
            slot.slot->a.store(static_cast<std::uint64_t>(identity.pid), std::memory_order_release);
        }
    }
    if (options.by_hand) hand::after_fork();
}

pid_t current_tid() {
    ThreadState& self = thread_state;
    if (self.generation != identity.generation) {
        self.tid = sys::gettid();
        self.generation = identity.generation;
    }
    return self.tid;
}

}  // namespace leftover
