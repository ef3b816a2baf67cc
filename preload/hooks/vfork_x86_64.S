// vfork, whose child comes back through this very frame before the parent does and would overwrite a
// return address left on the stack: so that is kept in a register that the system call preserves. C is
// called before the call, and after it in the parent alone.
    .text
    .globl vfork, __vfork
    .type vfork, @function
    .type __vfork, @function
vfork:
__vfork:
    .cfi_startproc
    endbr64
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    call leftover_before_vfork
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
    testl %eax, %eax
    jnz 2f
    .cfi_remember_state
    popq %rdi
    .cfi_adjust_cfa_offset -8
    .cfi_register %rip, %rdi
    movl $58, %eax              // SYS_vfork
    syscall
    pushq %rdi
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rip, 0
    testq %rax, %rax
    jz 1f
    movq %rax, %rdi
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    call leftover_after_vfork
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
1:  ret
    .cfi_restore_state
2:  movl $-1, %eax              // refused
    ret
    .cfi_endproc
    .size vfork, . - vfork
    .size __vfork, . - __vfork
    .section .note.GNU-stack, "", @progbits
