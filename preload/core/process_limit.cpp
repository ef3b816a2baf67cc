#include "preload/core/process_limit.h"

#include <cerrno>

#include "preload/core/proc_self.h"
#include "preload/core/process.h"
#include "preload/core/sys.h"
#include "preload/core/text.h"

namespace leftover {

using record::making_a_child;
using record::place_of;
using record::place_pid;
using record::place_ticks;
using record::ProcessLimit;
using record::ProcessPlace;

constinit ProcessLimit* process_limit = nullptr;

namespace {

constexpr std::uint32_t nowhere = UINT32_MAX;

std::uint64_t word_of(pid_t pid) { return place_of(static_cast<std::uint32_t>(pid), read_start_ticks(pid)); }

// In another pid namespace our numbers are somebody else's: such processes are the launcher's to count.
bool speaks_our_pids() {
    struct stat status;
    return sys::stat("/proc/self/ns/pid", &status) != 0 || process_limit->pid_namespace == 0 ||
           status.st_ino == process_limit->pid_namespace;
}

// Whether the process of this word still lives. When in doubt (no /proc) it does.
bool lives(std::uint64_t word) {
    const auto pid = static_cast<pid_t>(place_pid(word));
    if (sys::kill(pid, 0) == -ESRCH) return false;
    char state = 0;
    std::uint64_t threads = 0;
    const std::uint64_t ticks = read_start_ticks(pid, &state, &threads);
    if (ticks == 0) return sys::kill(pid, 0) != -ESRCH;
    if (place_ticks(word) != 0 && place_ticks(ticks) != place_ticks(word)) return false;
    // A first thread that has exited is a zombie while others go on.
    return (state != 'Z' && state != 'X') || threads > 1;
}

std::uint32_t find(std::uint64_t wanted) {
    ProcessPlace* places = process_limit->places();
    for (std::uint32_t i = 0; i < process_limit->most; ++i) {
        if (places[i].load(std::memory_order_acquire) == wanted) return i;
    }
    return nowhere;
}

std::uint32_t take_free(std::uint64_t word) {
    ProcessPlace* places = process_limit->places();
    const std::uint32_t most = process_limit->most;
    std::uint32_t at = process_limit->hint.load(std::memory_order_relaxed);
    for (std::uint32_t i = 0; i < most; ++i, ++at) {
        if (at >= most) at = 0;
        std::uint64_t expected = 0;
        if (places[at].load(std::memory_order_relaxed) == 0 &&
            places[at].compare_exchange_strong(expected, word, std::memory_order_acq_rel)) {
            process_limit->hint.store(at + 1, std::memory_order_relaxed);
            return at;
        }
    }
    return nowhere;
}

// Frees the places of processes that are gone, and says whether there were any.
bool free_stale() {
    ProcessPlace* places = process_limit->places();
    bool any = false;
    for (std::uint32_t i = 0; i < process_limit->most; ++i) {
        std::uint64_t word = places[i].load(std::memory_order_acquire);
        if (word == 0) {
            any = true;  // somebody else's doing
        } else if (!lives(word)) {
            any = places[i].compare_exchange_strong(word, 0, std::memory_order_acq_rel) || word == 0 || any;
        }
    }
    return any;
}

std::uint32_t take_place(std::uint64_t word) {
    std::uint32_t index = take_free(word);
    // Others may snatch what we free, but each time somebody gets on.
    for (unsigned attempt = 0; index == nowhere && attempt < 100 && free_stale(); ++attempt) index = take_free(word);
    return index;
}

// In the parent: its child is `pid`, or (-1) there is none. Each call that is under way has one place, but
// which one does not matter: a child that found its place itself, in another program, may have taken the one
// of another thread's call, which then goes on with ours.
void settle_place(std::uint64_t making, std::uint32_t index, pid_t pid) {
    std::uint64_t now = pid > 0 ? word_of(pid) : 0;
    // Gone already, waited for by another thread.
    if (pid > 0 && place_ticks(now) == 0 && sys::kill(pid, 0) == -ESRCH) now = 0;
    for (std::uint32_t at = index; at < process_limit->most; at = find(making)) {
        if (now != 0 && find(now) != nowhere) return;
        std::uint64_t expected = making;
        if (process_limit->places()[at].compare_exchange_strong(expected, now, std::memory_order_acq_rel)) return;
    }
}

}  // namespace

void open_process_limit() {
    char path[sizeof options.folder + 32];
    Text text(path, sizeof path);
    text << options.folder << '/' << record::process_limit_name;
    struct stat status;
    if (text.cut() || sys::stat(path, &status) != 0) return;
    const long fd = sys::open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (sys::failed(fd)) return;
    char* base = nullptr;
    const auto size = static_cast<std::uint64_t>(status.st_size);
    if (size >= sizeof(ProcessLimit)) {
        base = static_cast<char*>(sys::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    }
    sys::close(fd);
    if (base == nullptr) return;
    auto* limit = reinterpret_cast<ProcessLimit*>(base);
    if (limit->magic != record::process_limit_magic || record::process_limit_size(limit->most) > size) {
        sys::munmap(base, size);
        return;
    }
    process_limit = limit;
    if (!speaks_our_pids()) return;
    // Made by a call whose parent could not tell the pid (system, popen): its place is one of those that
    // the parent keeps; or by a program without the shim, and then there may be none.
    const std::uint64_t own = word_of(sys::getpid());
    if (find(own) != nowhere) return;
    const std::uint64_t making = making_a_child | word_of(sys::getppid());
    for (std::uint32_t at = find(making); at != nowhere; at = find(making)) {
        std::uint64_t expected = making;
        if (limit->places()[at].compare_exchange_strong(expected, own, std::memory_order_acq_rel)) return;
    }
    take_place(own);
}

void ChildPlace::take() {
    if (!recording.load(std::memory_order_relaxed) || !speaks_our_pids()) return;
    word_ = making_a_child | word_of(sys::getpid());
    index_ = take_place(word_);
    refused_ = index_ == nowhere;
}

void ChildPlace::settle(pid_t pid) {
    if (word_ == 0 || refused_) return;
    settle_place(word_, index_, pid);
}

void ChildPlace::release() {
    if (word_ == 0 || refused_) return;
    std::uint64_t expected = word_;
    process_limit->places()[index_].compare_exchange_strong(expected, 0, std::memory_order_acq_rel);
}

void ChildPlace::adopt() {
    if (word_ == 0 || !speaks_our_pids()) return;
    const std::uint64_t own = word_of(sys::getpid());
    std::uint64_t expected = word_;
    process_limit->places()[index_].compare_exchange_strong(expected, own, std::memory_order_acq_rel);
}

bool take_place_for_vfork() {
    if (process_limit == nullptr) return true;
    if (!ChildPlace().refused()) return true;
    errno = EAGAIN;
    return false;
}

void settle_place_of_vfork(pid_t pid) {
    if (process_limit == nullptr || !recording.load(std::memory_order_relaxed) || !speaks_our_pids()) return;
    const std::uint64_t making = making_a_child | word_of(sys::getpid());
    settle_place(making, find(making), pid);
}

}  // namespace leftover
