// system, popen and pclose: the child is made inside libc, by a posix_spawn that no hook sees.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <cerrno>
#include <new>

#include "preload/core/clock.h"
#include "preload/core/environment.h"
#include "preload/core/proc_self.h"
#include "preload/core/process_limit.h"
#include "preload/hand/signals.h"
#include "preload/hooks/child.h"
#include "preload/hooks/descriptor.h"
#include "preload/hooks/shell.h"

namespace leftover {

namespace {

// Streams of popen: how many, and, in their slot's `d` until they end, which.
std::atomic<std::uint32_t> open_streams{0};

SlotRef slot_of_stream(FILE* stream) {
    SlotRef found;
    if (open_streams.load(std::memory_order_relaxed) == 0) return found;
    for (Mapping* mapping : {opened_record(), fresh.inherited}) {
        if (mapping == nullptr || !*mapping) continue;
        each_slot(*mapping, [&](const SlotRef& ref) {
            const std::uint32_t state = ref.slot->state.load(std::memory_order_relaxed) & 0xff;
            if (ref.slot->kind == Kind::process && state != static_cast<std::uint32_t>(record::State::ended) &&
                ref.slot->d.load(std::memory_order_relaxed) == reinterpret_cast<std::uintptr_t>(stream)) {
                found = ref;
            }
        });
    }
    return found;
}

void name_shell(const SlotRef& slot) {
    if (!slot) return;
    constexpr std::string_view shell = "/bin/sh";
    __builtin_memcpy(slot.slot->name, shell.data(), shell.size());
    slot.slot->name_size = static_cast<std::uint16_t>(shell.size());
    slot.slot->flags.fetch_or(record::execed, std::memory_order_relaxed);
}

SlotRef intend() {
    Entry entry(child_kinds);
    if (!entry) return {};
    const record::SlotId interrupted = thread_state.child_slot;
    const SlotRef slot = intend_child();
    thread_state.child_slot = interrupted;  // the child runs no code of ours before it is another program
    name_shell(slot);
    return slot;
}

// What system has besides libc's own. A thread may be cancelled in there, which runs cleanup handlers and no destructors
// of ours, and a handler may jump out of it: so that this one's is called by those, and by nothing else.
class ShellCall {
  public:
    explicit ShellCall(ChildPlace& place) : outer_(thread_state.shell_call), place_(place), slot_(intend()) {
        thread_state.shell_call = this;
    }
    ~ShellCall() {
        thread_state.shell_call = outer_;
        // Forked by such a handler, which then jumped: the call is its parent's.
        if (is_new_child() || identity.pid != pid_) return;
        const int saved = errno;
        place_.give_back();
        if (slot_) release_slot(slot_);
        hand::restored_by_libc(SIGINT);
        hand::restored_by_libc(SIGQUIT);
        errno = saved;
    }
    ShellCall(const ShellCall&) = delete;
    ShellCall& operator=(const ShellCall&) = delete;

  private:
    const pid_t pid_ = identity.pid;
    void* const outer_;  // of the call that a handler, in which we may be, interrupted
    ChildPlace& place_;
    const SlotRef slot_;
    const ScopedEnvironment environment_;
};

void end_shell_call(void* call) { static_cast<ShellCall*>(call)->~ShellCall(); }

}  // namespace

void leave_shell_calls(std::uintptr_t target) {
    while (thread_state.shell_call != nullptr && (target == 0 || reinterpret_cast<std::uintptr_t>(thread_state.shell_call) < target)) {
        end_shell_call(thread_state.shell_call);
    }
}

HOOK(int, system, const char* command) {
    if (!ready() || command == nullptr) return real_system(command);
    ChildPlace place;
    if (place.refused()) {
        errno = EAGAIN;
        return -1;
    }
    alignas(ShellCall) char memory[sizeof(ShellCall)];
    auto* const call = new (memory) ShellCall(place);
    int status;
    pthread_cleanup_push(end_shell_call, call);
    status = real_system(command);
    pthread_cleanup_pop(1);
    return status;
}

HOOK(FILE*, popen, const char* command, const char* mode) {
    if (!ready()) return real_popen(command, mode);
    ChildPlace place;
    if (place.refused()) {
        errno = EAGAIN;
        return nullptr;
    }
    const SlotRef slot = intend();
    FILE* stream;
    {
        const ScopedEnvironment environment;
        stream = real_popen(command, mode);
    }
    const int saved = errno;
    if (process_limit != nullptr) place.belongs_to(stream == nullptr ? -1 : last_child());
    if (slot) {
        if (stream == nullptr) {
            release_slot(slot);
        } else {
            // Nobody tells which process that was; the kernel's list of children does.
            const pid_t child = last_child();
            if (child != 0 && !find_slot(Kind::process, static_cast<std::uint64_t>(child))) {
                child_created(slot, child, thread_state.child_slot);
            } else {
                slot.slot->c.store(boot_ticks(), std::memory_order_relaxed);
            }
            slot.slot->d.store(reinterpret_cast<std::uintptr_t>(stream), std::memory_order_relaxed);
            open_streams.fetch_add(1, std::memory_order_relaxed);
        }
    }
    errno = saved;
    return opened_stream(stream, "pipe");
}

HOOK(int, pclose, FILE* stream) {
    if (!ready()) return real_pclose(stream);
    closing_stream(stream);
    const SlotRef slot = slot_of_stream(stream);
    const int status = real_pclose(stream);
    const int saved = errno;
    if (slot && (status != -1 || saved == ECHILD)) {
        release_slot(slot);
        open_streams.fetch_sub(1, std::memory_order_relaxed);
    }
    errno = saved;
    return status;
}

}  // namespace leftover
