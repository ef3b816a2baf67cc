#include "preload/hand/own_stack.h"

#include <cstddef>

namespace leftover::hand {

namespace {

constexpr std::size_t stack_size = 128 << 10;  // of which the kernel gives what is touched
alignas(64) char own_stack[stack_size];

}  // namespace

// The stack pointer is kept in a register that calls keep. Asking for the frame's address makes the
// compiler use a frame pointer, by which a debugger finds its way from here to the program's stack.
#if defined(__x86_64__)
__attribute__((noinline)) void run_on_own_stack(void (*function)(void*), void* argument) {
    char* const top = own_stack + stack_size;
    asm volatile("" : : "r"(__builtin_frame_address(0)));
    asm volatile(
        "movq %%rsp, %%rbx\n\t"
        "movq %[top], %%rsp\n\t"
        "callq *%[function]\n\t"
        "movq %%rbx, %%rsp"
        : "+D"(argument), [function] "+r"(function)
        : [top] "r"(top)
        : "rbx", "rax", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc", "xmm0",
          "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
          "xmm12", "xmm13", "xmm14", "xmm15");
}
#elif defined(__aarch64__)
__attribute__((noinline)) void run_on_own_stack(void (*function)(void*), void* argument) {
    char* const top = own_stack + stack_size;
    asm volatile("" : : "r"(__builtin_frame_address(0)));
    register void* x0 asm("x0") = argument;
    asm volatile(
        "mov x19, sp\n\t"
        "mov sp, %[top]\n\t"
        "blr %[function]\n\t"
        "mov sp, x19"
        : "+r"(x0)
        : [top] "r"(top), [function] "r"(function)
        : "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
          "x15", "x16", "x17", "x18", "x19", "x30", "memory", "cc", "v0", "v1", "v2", "v3", "v4",
          "v5", "v6", "v7", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25",
          "v26", "v27", "v28", "v29", "v30", "v31");
}
#endif

}  // namespace leftover::hand
