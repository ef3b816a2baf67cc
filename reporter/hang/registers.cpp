#include "reporter/hang/registers.h"

#include <elf.h>
#include <fmt/format.h>
#include <libunwind-ptrace.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include "reporter/kernel/text.h"

namespace leftover::hang {
namespace {

bool read_set(pid_t tid, int type, void* to, std::size_t size) {
    iovec area{to, size};
    return ::ptrace(PTRACE_GETREGSET, tid, type, &area) == 0 && area.iov_len == size;
}

}  // namespace

#if defined(__x86_64__)

std::uint64_t Registers::pc() const { return raw.rip; }
std::uint64_t Registers::sp() const { return raw.rsp; }

bool Registers::get(int number, std::uint64_t& value) const {
    switch (number) {
        case UNW_X86_64_RAX: value = raw.rax; return true;
        case UNW_X86_64_RDX: value = raw.rdx; return true;
        case UNW_X86_64_RCX: value = raw.rcx; return true;
        case UNW_X86_64_RBX: value = raw.rbx; return true;
        case UNW_X86_64_RSI: value = raw.rsi; return true;
        case UNW_X86_64_RDI: value = raw.rdi; return true;
        case UNW_X86_64_RBP: value = raw.rbp; return true;
        case UNW_X86_64_RSP: value = raw.rsp; return true;
        case UNW_X86_64_R8: value = raw.r8; return true;
        case UNW_X86_64_R9: value = raw.r9; return true;
        case UNW_X86_64_R10: value = raw.r10; return true;
        case UNW_X86_64_R11: value = raw.r11; return true;
        case UNW_X86_64_R12: value = raw.r12; return true;
        case UNW_X86_64_R13: value = raw.r13; return true;
        case UNW_X86_64_R14: value = raw.r14; return true;
        case UNW_X86_64_R15: value = raw.r15; return true;
        case UNW_X86_64_RIP: value = raw.rip; return true;
        default: return false;
    }
}

Call Registers::call() const {
    // Of the kernel's own: ERESTARTSYS, -NOINTR, -NOHAND, -RESTARTBLOCK. Three calls say EINTR.
    constexpr int restarted_from = 512;
    constexpr int restarted_to = 516;
    constexpr int interrupted = 4;
    const auto result = -static_cast<std::int64_t>(raw.rax);
    Call call;
    const auto number = static_cast<std::int64_t>(raw.orig_rax);
    if (number < 0) return call;
    if (result != interrupted && (result < restarted_from || result > restarted_to)) return call;
    call.number = number;
    call.arguments = {raw.rdi, raw.rsi, raw.rdx, raw.r10, raw.r8, raw.r9};
    return call;
}

bool read_registers(pid_t tid, Registers& registers) {
    if (!read_set(tid, NT_PRSTATUS, &registers.raw, sizeof registers.raw)) return false;
    registers.thread_pointer = registers.raw.fs_base;
    return true;
}

long number_in_code(const std::array<unsigned char, 12>& code) {
    // mov $number,%eax; syscall
    const auto* at = code.data() + 5;
    if (at[0] != 0xb8 || at[5] != 0x0f || at[6] != 0x05) return -1;
    return at[1] | at[2] << 8 | at[3] << 16;
}

#elif defined(__aarch64__)

std::uint64_t Registers::pc() const { return raw.pc; }
std::uint64_t Registers::sp() const { return raw.sp; }

bool Registers::get(int number, std::uint64_t& value) const {
    if (number >= UNW_AARCH64_X0 && number <= UNW_AARCH64_X30) {
        value = raw.regs[number - UNW_AARCH64_X0];
    } else if (number == UNW_AARCH64_SP) {
        value = raw.sp;
    } else if (number == UNW_AARCH64_PC) {
        value = raw.pc;
    } else {
        return false;
    }
    return true;
}

// The result has overwritten the first argument.
Call Registers::call() const { return {}; }

bool read_registers(pid_t tid, Registers& registers) {
    return read_set(tid, NT_PRSTATUS, &registers.raw, sizeof registers.raw) &&
           read_set(tid, NT_ARM_TLS, &registers.thread_pointer, sizeof registers.thread_pointer);
}

long number_in_code(const std::array<unsigned char, 12>&) { return -1; }

#else
#error "The registers of this processor are not known here."
#endif

Call read_call(pid_t pid, pid_t tid) {
    Call call;
    const std::string text = kernel::read_text(fmt::format("/proc/{}/task/{}/syscall", pid, tid));
    const auto words = kernel::split_words(text);
    if (words.size() < 7) return call;  // "running", or "-1 SP PC"
    for (std::size_t i = 0; i < call.arguments.size(); ++i) {
        const auto value = words[i + 1].starts_with("0x")
                               ? kernel::parse_number<std::uint64_t>(words[i + 1].substr(2), 16)
                               : std::nullopt;
        if (!value) return call;
        call.arguments[i] = *value;
    }
    call.number = kernel::parse_number<long>(words[0]).value_or(-1);
    return call;
}

}  // namespace leftover::hang
