#include "preload/core/confinement.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstddef>

#include "preload/core/alternate_stack.h"
#include "preload/core/process.h"
#include "preload/core/sys.h"
#include "preload/hand/signals.h"

namespace leftover {

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t architecture = AUDIT_ARCH_AARCH64;
#endif

// All that is called anywhere under preload/, the unwinder included.
constexpr int our_calls[] = {
    SYS_clock_gettime, SYS_close,         SYS_dup3,        SYS_faccessat,    SYS_fallocate,
    SYS_fchmodat,      SYS_fcntl,         SYS_fgetxattr,   SYS_fstat,        SYS_fstatfs,
    SYS_futex,         SYS_getcwd,        SYS_getdents64,  SYS_getegid,      SYS_geteuid,
    SYS_getgid,        SYS_getpid,        SYS_getppid,     SYS_getrandom,    SYS_gettid,
    SYS_getuid,        SYS_kill,          SYS_madvise,     SYS_mkdirat,      SYS_mmap,
    SYS_mq_open,       SYS_munmap,        SYS_nanosleep,   SYS_newfstatat,   SYS_openat,
    SYS_prctl,         SYS_pread64,       SYS_prlimit64,   SYS_process_vm_readv, SYS_pwrite64,
    SYS_read,          SYS_readlinkat,    SYS_renameat2,   SYS_rt_sigaction, SYS_rt_sigpending,
    SYS_rt_sigprocmask, SYS_rt_sigtimedwait, SYS_rt_tgsigqueueinfo, SYS_sched_yield, SYS_statfs,
    SYS_statx,         SYS_tgkill,        SYS_timer_getoverrun, SYS_uname,   SYS_unlinkat,
    SYS_waitid,        SYS_write,
};

// And by a process that cleans up after its session by hand.
constexpr int cleaning_calls[] = {
    SYS_flock,  SYS_mprotect,   SYS_mq_unlink,         SYS_mremap, SYS_msgctl,
    SYS_ppoll,  SYS_pidfd_open, SYS_pidfd_send_signal, SYS_semctl, SYS_shmctl,
};

// Of these, those that we rely on to come back from a handler by hand, and to wait without spinning: a
// refusal is as bad.
constexpr int indispensable[] = {SYS_futex,  SYS_getpid,       SYS_gettid,        SYS_nanosleep,
                                 SYS_tgkill, SYS_rt_sigaction, SYS_rt_sigprocmask};

// Runs a filter as the kernel does (Documentation/userspace-api/seccomp_filter.rst; the subset of the
// classic BPF machine that seccomp_check_filter() in kernel/seccomp.c lets in). Its return value, or
// SECCOMP_RET_KILL_PROCESS for what this machine does not know.
std::uint32_t run(const sock_filter* code, std::uint32_t size, const seccomp_data& data) {
    std::uint32_t a = 0;
    std::uint32_t x = 0;
    std::uint32_t memory[BPF_MEMWORDS] = {};
    for (std::uint32_t at = 0; at < size; ++at) {  // jumps go forward only
        const sock_filter& step = code[at];
        const std::uint32_t operand = BPF_SRC(step.code) == BPF_X ? x : step.k;
        switch (BPF_CLASS(step.code)) {
            case BPF_LD:
            case BPF_LDX: {
                std::uint32_t value = 0;
                if (BPF_MODE(step.code) == BPF_IMM) {
                    value = step.k;
                } else if (BPF_MODE(step.code) == BPF_LEN) {
                    value = sizeof data;
                } else if (BPF_MODE(step.code) == BPF_MEM && step.k < BPF_MEMWORDS) {
                    value = memory[step.k];
                } else if (BPF_MODE(step.code) == BPF_ABS && step.k <= sizeof data - 4 && step.k % 4 == 0) {
                    __builtin_memcpy(&value, reinterpret_cast<const char*>(&data) + step.k, sizeof value);
                } else {
                    return SECCOMP_RET_KILL_PROCESS;
                }
                (BPF_CLASS(step.code) == BPF_LD ? a : x) = value;
                break;
            }
            case BPF_ST:
            case BPF_STX:
                if (step.k >= BPF_MEMWORDS) return SECCOMP_RET_KILL_PROCESS;
                memory[step.k] = BPF_CLASS(step.code) == BPF_ST ? a : x;
                break;
            case BPF_ALU:
                switch (BPF_OP(step.code)) {
                    case BPF_ADD: a += operand; break;
                    case BPF_SUB: a -= operand; break;
                    case BPF_MUL: a *= operand; break;
                    case BPF_DIV:
                        if (operand == 0) return 0;  // as the kernel: the filter's result is 0
                        a /= operand;
                        break;
                    case BPF_OR: a |= operand; break;
                    case BPF_AND: a &= operand; break;
                    case BPF_XOR: a ^= operand; break;
                    case BPF_LSH: a <<= operand & 31; break;
                    case BPF_RSH: a >>= operand & 31; break;
                    case BPF_NEG: a = 0 - a; break;
                    default: return SECCOMP_RET_KILL_PROCESS;
                }
                break;
            case BPF_JMP: {
                if (BPF_OP(step.code) == BPF_JA) {
                    if (step.k >= size) return SECCOMP_RET_KILL_PROCESS;
                    at += step.k;
                    break;
                }
                bool holds = false;
                switch (BPF_OP(step.code)) {
                    case BPF_JEQ: holds = a == operand; break;
                    case BPF_JGT: holds = a > operand; break;
                    case BPF_JGE: holds = a >= operand; break;
                    case BPF_JSET: holds = (a & operand) != 0; break;
                    default: return SECCOMP_RET_KILL_PROCESS;
                }
                at += holds ? step.jt : step.jf;
                break;
            }
            case BPF_RET: return BPF_RVAL(step.code) == BPF_A ? a : step.k;
            case BPF_MISC:
                (BPF_MISCOP(step.code) == BPF_TAX ? x : a) = BPF_MISCOP(step.code) == BPF_TAX ? a : x;
                break;
            default: return SECCOMP_RET_KILL_PROCESS;
        }
    }
    return SECCOMP_RET_KILL_PROCESS;
}

enum class Action { allow, refuse, harm };

// A filter that looks at arguments is asked about zeros only: it may still think otherwise.
Action action(const sock_filter* code, std::uint32_t size, int call) {
    const seccomp_data data = {call, architecture, 0, {}};
    switch (run(code, size, data) & SECCOMP_RET_ACTION_FULL) {
        case SECCOMP_RET_ALLOW:
        case SECCOMP_RET_LOG: return Action::allow;
        case SECCOMP_RET_ERRNO: return Action::refuse;
        default: return Action::harm;  // ends or interrupts the program, or tells a supervisor
    }
}

bool was_active = false;
bool was_recording = false;

}  // namespace

bool tolerates_us(const sock_fprog* filter) {
    if (!sys::readable(filter) || !sys::readable(&filter->filter)) return true;  // the kernel refuses it by itself
    const sock_filter* const code = filter->filter;
    const std::uint32_t size = filter->len;
    if (size == 0 || size > BPF_MAXINSNS || !sys::readable(code) || !sys::readable(code + size - 1)) return true;
    for (const int call : our_calls) {
        if (action(code, size, call) == Action::harm) return false;
    }
    if (options.by_hand && options.clean) {
        for (const int call : cleaning_calls) {
            if (action(code, size, call) == Action::harm) return false;
        }
    }
    if (has_alternate_stacks.load(std::memory_order_relaxed) && action(code, size, SYS_sigaltstack) == Action::harm) return false;
    for (const int call : indispensable) {
        if (action(code, size, call) != Action::allow) return false;
    }
    return true;
}

void confine() {
    was_active = options.active;
    was_recording = recording.load(std::memory_order_relaxed);
    if (options.by_hand) hand::remove_handlers();
    recording.store(false, std::memory_order_release);
    options.active = false;
}

void take_back_confinement() {
    options.active = was_active;
    recording.store(was_recording, std::memory_order_release);
    if (options.by_hand && was_active) hand::install_handlers();
}

}  // namespace leftover
