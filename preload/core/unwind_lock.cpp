#include "preload/core/unwind_lock.h"

#include <csignal>

#include "preload/core/cancellation.h"
#include "preload/core/clock.h"
#include "preload/core/process.h"
#include "preload/core/sys.h"
#include "preload/core/undisturbed.h"

namespace leftover {

namespace {

// In a thread's unwind_shard, which is written at once, or a handler would find one without the other: a
// cancellation was put off; signals are blocked, as `blocked_before` remembers.
constexpr std::uint32_t cancellation_put_off = 1U << 31;
constexpr std::uint32_t signals_blocked = 1U << 30;
constexpr std::uint32_t flags = cancellation_put_off | signals_blocked;

long set_mask(const std::uint64_t* wanted, std::uint64_t* before) {
    return sys::call(SYS_rt_sigprocmask, SIG_SETMASK, wanted, before, sizeof *wanted);
}

constexpr std::uint64_t longest_wait_ns = 100'000'000;

std::int32_t readers() {
    std::int32_t sum = 0;
    for (const UnwindShard& shard : fresh.shards) sum += shard.readers.load(std::memory_order_seq_cst);
    return sum;
}

// Counts those that unwind now, but for our own thread, as lost, each once, until it ends. Other threads may be
// about to do the same.
void give_up_readers(std::int32_t own) {
    fresh.lost_epoch.fetch_add(1, std::memory_order_seq_cst);
    std::int32_t lost = fresh.lost_readers.load(std::memory_order_seq_cst);
    std::int32_t others = 0;
    do {
        others = readers() - own - lost;
    } while (others > 0 && !fresh.lost_readers.compare_exchange_strong(lost, lost + others, std::memory_order_seq_cst));
}

// This thread's forks among all that are under way: a handler that found one counted here and not there would wait for
// the fork that it interrupted.
std::uint32_t count_fork(int change) {
    std::uint64_t before = 0;
    const bool blocked = set_mask(&signals_of_program, &before) == 0;
    const auto by = static_cast<std::uint32_t>(change);
    thread_state.forking = static_cast<std::uint8_t>(thread_state.forking + change);
    const std::uint32_t left = fresh.forking.fetch_add(by, std::memory_order_seq_cst) + by;
    if (blocked) set_mask(&before, nullptr);
    return left;
}

// Whether a handler that interrupted an unwinding of its own thread came between the unwinder's locks.
bool holds_no_lock(const ThreadState& self) {
    return self.unwinder_locks == 0 && (self.unwind_shard & signals_blocked) == 0;
}

}  // namespace

bool begin_unwind() {
    ThreadState& self = thread_state;
    if (identity.no_unwind || self.unwind_shard != 0) return false;
    // A handler that interrupts our own fork need not wait for it: it is over before the fork goes on, and other
    // threads' forks wait for it.
    const std::uint32_t own = self.forking;
    const bool put_off = put_off_cancellation();
    const std::uint32_t shard = static_cast<std::uint32_t>(current_tid()) % unwind_shards;
    self.unwind_epoch = fresh.lost_epoch.load(std::memory_order_seq_cst);
    for (unsigned tries = 0; tries < 200; ++tries) {
        fresh.shards[shard].readers.fetch_add(1, std::memory_order_seq_cst);
        const std::uint32_t pending = fresh.forking.load(std::memory_order_seq_cst);
        if (pending == own) {
            self.unwind_shard = (shard + 1) | (put_off ? cancellation_put_off : 0);
            return true;
        }
        fresh.shards[shard].readers.fetch_sub(1, std::memory_order_seq_cst);
        fresh.sleepers.fetch_add(1, std::memory_order_seq_cst);
        sys::futex_wait(&fresh.forking, pending, 5'000'000);
        fresh.sleepers.fetch_sub(1, std::memory_order_seq_cst);
    }
    allow_cancellation(put_off);
    return false;
}

StepWithin::StepWithin() {
    const ThreadState& self = thread_state;
    if (holds_no_lock(self)) held_ = self.unwind_shard;
}

// What was blocked meanwhile is not to be what the interrupted one puts back.
StepWithin::~StepWithin() {
    ThreadState& self = thread_state;
    if (held_ == 0 || (self.unwind_shard & signals_blocked) == 0) return;
    self.unwind_shard = held_;
    set_mask(&self.blocked_before, nullptr);
}

void end_unwind() {
    ThreadState& self = thread_state;
    const std::uint32_t held = self.unwind_shard;
    if (held == 0) return;
    fresh.shards[(held & ~flags) - 1].readers.fetch_sub(1, std::memory_order_seq_cst);
    self.unwind_shard = 0;
    // Given up by a fork meanwhile. Asked in this order, so that, should that happen in between, one lost reader too
    // few is counted, which the next fork finds out by waiting.
    if (fresh.lost_epoch.load(std::memory_order_seq_cst) != self.unwind_epoch) {
        fresh.lost_readers.fetch_sub(1, std::memory_order_seq_cst);
    }
    if ((held & signals_blocked) != 0) set_mask(&self.blocked_before, nullptr);
    allow_cancellation((held & cancellation_put_off) != 0);
}

bool block_signals_until_end() {
    ThreadState& self = thread_state;
    if (self.unwind_shard == 0) return false;
    if ((self.unwind_shard & signals_blocked) != 0) return true;
    if (set_mask(&signals_of_program, &self.blocked_before) != 0) return false;
    self.unwind_shard |= signals_blocked;
    return true;
}

bool are_signals_blocked() { return (thread_state.unwind_shard & signals_blocked) != 0; }

void adopt_unwind() {
    ThreadState& self = thread_state;
    if (self.unwind_shard == 0) return;
    self.unwind_epoch = fresh.lost_epoch.load(std::memory_order_relaxed);
    fresh.shards[(self.unwind_shard & ~flags) - 1].readers.fetch_add(1, std::memory_order_seq_cst);
}

void forget_unwind() {
    const std::uint32_t held = thread_state.unwind_shard;
    thread_state.unwind_shard = 0;
    allow_cancellation((held & cancellation_put_off) != 0);
}

bool stop_unwinders() {
    count_fork(1);
    // A handler that forks in the middle of an unwind must not wait for the unwind it interrupted.
    const std::int32_t own = thread_state.unwind_shard != 0 ? 1 : 0;
    const bool sound = holds_no_lock(thread_state);
    std::uint64_t deadline = 0;
    for (unsigned spins = 0;; ++spins) {
        const std::int32_t lost = fresh.lost_readers.load(std::memory_order_seq_cst);
        // Those that an earlier fork did not wait for may be slow only, and in the middle of it still.
        if (readers() - own - lost <= 0) return sound && lost == 0;
        const std::uint64_t now = clock_ns(CLOCK_MONOTONIC);
        if (deadline == 0) deadline = now + longest_wait_ns;
        if (now > deadline) {
            give_up_readers(own);
            return false;
        }
        sys::yield();
    }
}

void let_unwinders_go() {
    if (thread_state.forking == 0) return;
    if (count_fork(-1) == 0 && fresh.sleepers.load(std::memory_order_seq_cst) != 0) sys::futex_wake_all(&fresh.forking);
}

}  // namespace leftover
