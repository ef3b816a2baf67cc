// vfork: see vfork_x86_64.S. The return address is in x30, which the system call preserves.
    .text
    .globl vfork, __vfork
    .type vfork, %function
    .type __vfork, %function
vfork:
__vfork:
    .cfi_startproc
    stp x29, x30, [sp, #-16]!
    .cfi_adjust_cfa_offset 16
    .cfi_rel_offset x29, 0
    .cfi_rel_offset x30, 8
    bl leftover_before_vfork
    ldp x29, x30, [sp], #16
    .cfi_adjust_cfa_offset -16
    .cfi_restore x29
    .cfi_restore x30
    cbnz w0, 2f
    mov x0, #0x4111             // CLONE_VM | CLONE_VFORK | SIGCHLD
    mov x1, #0
    mov x2, #0
    mov x3, #0
    mov x4, #0
    mov x8, #220                // SYS_clone
    svc #0
    cbz x0, 1f
    stp x29, x30, [sp, #-16]!
    .cfi_adjust_cfa_offset 16
    .cfi_rel_offset x29, 0
    .cfi_rel_offset x30, 8
    bl leftover_after_vfork
    ldp x29, x30, [sp], #16
    .cfi_adjust_cfa_offset -16
    .cfi_restore x29
    .cfi_restore x30
1:  ret
2:  mov w0, #-1                 // refused
    ret
    .cfi_endproc
    .size vfork, . - vfork
    .size __vfork, . - __vfork
    .section .note.GNU-stack, "", %progbits
