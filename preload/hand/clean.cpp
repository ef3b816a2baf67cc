#include "preload/hand/clean.h"

#include <sys/file.h>

#include "preload/core/clock.h"
#include "preload/core/process.h"
#include "preload/core/sys.h"
#include "preload/hand/census.h"
#include "preload/hand/judge.h"
#include "preload/hand/options.h"

namespace leftover::hand {

namespace {

constexpr std::uint64_t second = 1'000'000'000;
// Whoever forks for ever is not chased for ever.
constexpr std::uint64_t longest_chase = 10 * second;

// While we are at it, the session lives: others leave it alone.
class SessionLock {
public:
    SessionLock()
        : folder_(sys::open(options.folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) {
        if (folder_ >= 0) sys::call(SYS_flock, folder_, LOCK_EX | LOCK_NB);
    }
    ~SessionLock() {
        if (folder_ >= 0) sys::close(folder_);
    }
    SessionLock(const SessionLock&) = delete;
    SessionLock& operator=(const SessionLock&) = delete;

private:
    long folder_;
};

bool is_to_be_cleaned(const Leak& leak) {
    return leak.status == Status::leaked && leak.severity != Severity::note &&
           record::row(leak.kind).cleanup != record::Cleanup::none;
}

bool is_same(const Leak& one, const Leak& other) {
    if (one.kind != other.kind) return false;
    if (one.kind == Kind::process) {
        return one.process == other.process && one.start_ticks == other.start_ticks;
    }
    return one.name == other.name && one.inode == other.inode && one.id == other.id;
}

bool is_known(const Findings& findings, const Leak& leak) {
    for (const Leak* known : findings.leaks) {
        if (is_same(*known, leak)) return true;
    }
    return false;
}

// A copy that outlives the evidence it was found in; its stack stays behind.
void adopt(Pool& pool, Findings& findings, const Leak& leak) {
    auto* const copy = pool.make<Leak>();
    if (copy == nullptr) return;
    *copy = leak;
    copy->name = pool.keep(leak.name);
    copy->thread_name = pool.keep(leak.thread_name);
    copy->command = pool.keep(leak.command);
    copy->holds = pool.keep(leak.holds);
    copy->record = nullptr;
    copy->stack = 0;
    // With the NUL behind it.
    if (!leak.path.empty()) {
        copy->path = pool.keep({leak.path.data(), leak.path.size() + 1});
        if (!copy->path.empty()) copy->path.remove_suffix(1);
    }
    findings.count(pool, copy);
}

// What the session has made since it was judged. False when that is no process.
bool look_again(Pool& pool, Findings& findings) {
    Evidence later;
    later.read_session(true);
    const Census census(later);
    Findings fresh;
    judge_lasting({later, census, fresh});
    bool processes = false;
    for (const Leak* leak : fresh.leaks) {
        if (is_known(findings, *leak)) continue;
        adopt(pool, findings, *leak);
        processes = processes || leak->kind == Kind::process;
    }
    return processes;
}

bool has_any(const Findings& findings) {
    for (const Leak* leak : findings.leaks) {
        if (is_to_be_cleaned(*leak)) return true;
    }
    return false;
}

bool has_processes(const Findings& findings) {
    for (const Leak* leak : findings.leaks) {
        if (leak->kind == Kind::process && is_to_be_cleaned(*leak)) return true;
    }
    return false;
}

Status status_of(Result result) {
    switch (result) {
        case Result::in_use:
            return Status::in_use;
        case Result::failed:
            return Status::failed;
        default:
            return Status::cleaned;
    }
}

}  // namespace

void enter(Pool& pool, Findings& findings, Leak& leak, std::string_view action, const Attempt& attempt,
           bool last) {
    const int pid = leak.process != 0 ? leak.process : leak.pid;
    findings.cleanup.actions.add(pool, {leak.kind, pid, leak.name, action, attempt.result, attempt.why});
    findings.cleanup.reclaimed_bytes += attempt.bytes;
    if (!last) return;
    leak.status = status_of(attempt.result);
    leak.error = attempt.why;
}

void clean(Evidence& evidence, Findings& findings) {
    findings.cleanup.done = true;
    findings.cleanup.started_ns = realtime_ns();
    if (!has_any(findings)) return;
    const SessionLock lock;
    Pool& pool = evidence.pool;
    const std::uint64_t begin = clock_ns(CLOCK_MONOTONIC);
    const std::uint64_t kill_at = begin + settings.kill_after_ns;
    while (has_processes(findings)) {
        end_processes(pool, findings, kill_at);
        if (!look_again(pool, findings)) break;
        if (clock_ns(CLOCK_MONOTONIC) > kill_at + longest_chase) break;
    }
    for (Leak* leak : findings.leaks) {
        if (leak->kind == Kind::process && is_to_be_cleaned(*leak)) {
            enter(pool, findings, *leak, "kill",
                  failed("the session starts processes faster than they can be ended"));
        }
    }
    remove_names(pool, findings);
    findings.cleanup.duration_ns = clock_ns(CLOCK_MONOTONIC) - begin;
}

}  // namespace leftover::hand
