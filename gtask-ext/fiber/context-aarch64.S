/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The context switch for AArch64 (AAPCS64).
 *
 * The frame that a switch leaves on the stack, from its stack pointer up:
 *    0  x19 x20    16  x21 x22    32  x23 x24    48  x25 x26    64  x27 x28
 *   80  x29 x30    96  d8 d9     112  d10 d11   128  d12 d13   144  d14 d15
 *  160  fpcr, and 8 bytes of nothing
 * Return addresses are signed with the stack pointer that they are used with.
 * The instructions for that are hints: older processors pass over them. */

#define FRAME   176
#define PACIASP hint #25
#define AUTIASP hint #29
#define PACIA1716 hint #8
#define BTI_C   hint #34

        .text

        .globl  gtx_context_switch
        .hidden gtx_context_switch
        .type   gtx_context_switch, %function
        .p2align 4
gtx_context_switch:
        .cfi_startproc
        PACIASP
        .cfi_negate_ra_state
        sub     sp, sp, #FRAME
        .cfi_adjust_cfa_offset FRAME
        stp     x19, x20, [sp, #0]
        .cfi_rel_offset x19, 0
        .cfi_rel_offset x20, 8
        stp     x21, x22, [sp, #16]
        .cfi_rel_offset x21, 16
        .cfi_rel_offset x22, 24
        stp     x23, x24, [sp, #32]
        .cfi_rel_offset x23, 32
        .cfi_rel_offset x24, 40
        stp     x25, x26, [sp, #48]
        .cfi_rel_offset x25, 48
        .cfi_rel_offset x26, 56
        stp     x27, x28, [sp, #64]
        .cfi_rel_offset x27, 64
        .cfi_rel_offset x28, 72
        stp     x29, x30, [sp, #80]
        .cfi_rel_offset x29, 80
        .cfi_rel_offset x30, 88
        stp     d8, d9, [sp, #96]
        .cfi_rel_offset d8, 96
        .cfi_rel_offset d9, 104
        stp     d10, d11, [sp, #112]
        .cfi_rel_offset d10, 112
        .cfi_rel_offset d11, 120
        stp     d12, d13, [sp, #128]
        .cfi_rel_offset d12, 128
        .cfi_rel_offset d13, 136
        stp     d14, d15, [sp, #144]
        .cfi_rel_offset d14, 144
        .cfi_rel_offset d15, 152
        mrs     x9, fpcr
        str     x9, [sp, #160]

        mov     x10, sp
        str     x10, [x0]
        ldr     x10, [x1]
        mov     sp, x10
.Lgo_on:
        /* To write it is slow, and it rarely differs. */
        ldr     x11, [sp, #160]
        cmp     x9, x11
        b.eq    1f
        msr     fpcr, x11
1:
        ldp     d8, d9, [sp, #96]
        ldp     d10, d11, [sp, #112]
        ldp     d12, d13, [sp, #128]
        ldp     d14, d15, [sp, #144]
        ldp     x19, x20, [sp, #0]
        ldp     x21, x22, [sp, #16]
        ldp     x23, x24, [sp, #32]
        ldp     x25, x26, [sp, #48]
        ldp     x27, x28, [sp, #64]
        ldp     x29, x30, [sp, #80]
        .cfi_restore d8
        .cfi_restore d9
        .cfi_restore d10
        .cfi_restore d11
        .cfi_restore d12
        .cfi_restore d13
        .cfi_restore d14
        .cfi_restore d15
        .cfi_restore x19
        .cfi_restore x20
        .cfi_restore x21
        .cfi_restore x22
        .cfi_restore x23
        .cfi_restore x24
        .cfi_restore x25
        .cfi_restore x26
        .cfi_restore x27
        .cfi_restore x28
        .cfi_restore x29
        .cfi_restore x30
        add     sp, sp, #FRAME
        .cfi_adjust_cfa_offset -FRAME
        AUTIASP
        .cfi_negate_ra_state

        /* The processor foresees returns from its own stack of calls.  One that begins
         * is not returned to, and returns when it ends: like a function that whoever
         * switched here has called, as the processor sees it. */
        adr     x16, gtx_context_start + 4
        cmp     x30, x16
        b.eq    .Lbegin
        ret
        .cfi_endproc
        .size   gtx_context_switch, . - gtx_context_switch

/* The first frame of a stack: the entry in x19, its data in x20.  There is no
 * caller, which is what an undefined return address tells a debugger, who looks
 * a return address up before it. */
        .type   gtx_context_start, %function
        .p2align 4
gtx_context_start:
        .cfi_startproc
        .cfi_undefined x30
        nop
.Lbegin:
        mov     x29, xzr
        mov     x0, x20
        blr     x19
        mrs     x9, fpcr
        ldr     x10, [x0]
        mov     sp, x10
        b       .Lgo_on
        .cfi_endproc
        .size   gtx_context_start, . - gtx_context_start

/* void gtx_context_make (context, base, size, entry, data, like) */
        .globl  gtx_context_make
        .hidden gtx_context_make
        .type   gtx_context_make, %function
        .p2align 4
gtx_context_make:
        .cfi_startproc
        BTI_C
        add     x16, x1, x2
        and     x16, x16, #-16
        adr     x17, gtx_context_start + 4
        PACIA1716
        sub     x9, x16, #FRAME
        stp     x3, x4, [x9, #0]
        stp     xzr, xzr, [x9, #16]
        stp     xzr, xzr, [x9, #32]
        stp     xzr, xzr, [x9, #48]
        stp     xzr, xzr, [x9, #64]
        stp     xzr, x17, [x9, #80]
        stp     xzr, xzr, [x9, #96]
        stp     xzr, xzr, [x9, #112]
        stp     xzr, xzr, [x9, #128]
        stp     xzr, xzr, [x9, #144]
        cbz     x5, 1f
        ldr     x10, [x5]
        ldr     x10, [x10, #160]
        b       2f
1:      mrs     x10, fpcr
2:      stp     x10, xzr, [x9, #160]
        str     x9, [x0]
        ret
        .cfi_endproc
        .size   gtx_context_make, . - gtx_context_make

/* void gtx_context_take_control (like) */
        .globl  gtx_context_take_control
        .hidden gtx_context_take_control
        .type   gtx_context_take_control, %function
        .p2align 4
gtx_context_take_control:
        .cfi_startproc
        BTI_C
        ldr     x9, [x0]
        ldr     x9, [x9, #160]
        mrs     x10, fpcr
        cmp     x10, x9
        b.eq    1f
        msr     fpcr, x9
1:      ret
        .cfi_endproc
        .size   gtx_context_take_control, . - gtx_context_take_control

        .section .note.GNU-stack, "", %progbits

/* BTI and PAC. */
        .section .note.gnu.property, "a", %note
        .p2align 3
        .word   4
        .word   16
        .word   5
        .asciz  "GNU"
        .word   0xc0000000
        .word   4
        .word   3
        .word   0
