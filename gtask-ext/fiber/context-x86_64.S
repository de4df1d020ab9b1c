/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The context switch for x86-64 (System V ABI).
 *
 * The frame that a switch leaves on the stack, from its stack pointer up:
 *    0  mxcsr (4 bytes), x87 control word (2 bytes)
 *    8  r12     16  r13     24  r14     32  r15     40  rbx     48  rbp
 *   56  return address
 * Indirect branches are not used but for the entry, which is a C function that
 * the compiler marks; returns need no mark.  Shadow stacks are not supported,
 * so SHSTK is not announced. */

/* The control words, by way of the memory at \at, in eax and dx. */
        .macro  READ_CONTROL at
        stmxcsr \at
        fnstcw  4+\at
        movl    \at, %eax
        movzwl  4+\at, %edx
        .endm

/* Those that lie at \from, where they were read.  To load them takes longer than all
 * the rest of a switch, and both sides mostly have the same.  An exception of the x87
 * that the one side masked would trap in the other as soon as it is unmasked. */
        .macro  TAKE_CONTROL from
        cmpl    \from, %eax
        je      1f
        ldmxcsr \from
1:      cmpw    4+\from, %dx
        je      2f
        fnclex
        fldcw   4+\from
2:
        .endm

        .text

        .globl  gtx_context_switch
        .hidden gtx_context_switch
        .type   gtx_context_switch, @function
        .p2align 4
gtx_context_switch:
        .cfi_startproc
        endbr64
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbp, 0
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbx, 0
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r15, 0
        pushq   %r14
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r14, 0
        pushq   %r13
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r13, 0
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r12, 0
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        READ_CONTROL 0(%rsp)

        movq    %rsp, 0(%rdi)
        movq    0(%rsi), %rsp
.Lgo_on:
        TAKE_CONTROL 0(%rsp)
        addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
        popq    %r12
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r12
        popq    %r13
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r13
        popq    %r14
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r14
        popq    %r15
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r15
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbx
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbp

        /* The processor foresees returns from its own stack of calls.  One that begins
         * is not returned to, and returns when it ends: like a function that whoever
         * switched here has called, as the processor sees it. */
        leaq    1 + gtx_context_start(%rip), %rax
        cmpq    %rax, 0(%rsp)
        je      .Lbegin
        ret
        .cfi_endproc
        .size   gtx_context_switch, . - gtx_context_switch

/* The first frame of a stack: the entry in r12, its data in r13.  There is no
 * caller, which is what an undefined return address tells a debugger, who looks
 * a return address up one byte before it. */
        .type   gtx_context_start, @function
        .p2align 4
gtx_context_start:
        .cfi_startproc
        .cfi_undefined %rip
        nop
.Lbegin:
        addq    $8, %rsp
        xorl    %ebp, %ebp
        movq    %r13, %rdi
        call    *%r12
        movq    0(%rax), %rcx
        READ_CONTROL -8(%rsp)
        movq    %rcx, %rsp
        jmp     .Lgo_on
        .cfi_endproc
        .size   gtx_context_start, . - gtx_context_start

/* void gtx_context_make (context, base, size, entry, data, like) */
        .globl  gtx_context_make
        .hidden gtx_context_make
        .type   gtx_context_make, @function
        .p2align 4
gtx_context_make:
        .cfi_startproc
        endbr64
        leaq    (%rsi,%rdx), %rax
        andq    $-16, %rax
        subq    $64, %rax
        testq   %r9, %r9
        jz      1f
        movq    0(%r9), %r9
        movq    0(%r9), %r9
        movq    %r9, 0(%rax)
        jmp     2f
1:      stmxcsr 0(%rax)
        fnstcw  4(%rax)
2:
        movq    %rcx, 8(%rax)
        movq    %r8, 16(%rax)
        movq    $0, 24(%rax)
        movq    $0, 32(%rax)
        movq    $0, 40(%rax)
        movq    $0, 48(%rax)
        leaq    1 + gtx_context_start(%rip), %rcx
        movq    %rcx, 56(%rax)
        movq    %rax, 0(%rdi)
        ret
        .cfi_endproc
        .size   gtx_context_make, . - gtx_context_make

/* void gtx_context_take_control (like) */
        .globl  gtx_context_take_control
        .hidden gtx_context_take_control
        .type   gtx_context_take_control, @function
        .p2align 4
gtx_context_take_control:
        .cfi_startproc
        endbr64
        movq    0(%rdi), %rcx
        READ_CONTROL -8(%rsp)
        TAKE_CONTROL 0(%rcx)
        ret
        .cfi_endproc
        .size   gtx_context_take_control, . - gtx_context_take_control

        .section .note.GNU-stack, "", @progbits

/* IBT, and not SHSTK. */
        .section .note.gnu.property, "a", @note
        .p2align 3
        .long   4
        .long   16
        .long   5
        .asciz  "GNU"
        .long   0xc0000002
        .long   4
        .long   1
        .long   0
