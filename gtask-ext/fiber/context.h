/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The context switch: one flow of control is put aside, another goes on. */

#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef GTX_CONTEXT_UCONTEXT
#include <ucontext.h>
#endif

typedef struct
{
#ifdef GTX_CONTEXT_UCONTEXT
  ucontext_t ucontext;
#else
  /* Where the callee-saved registers lie on the stack that was left. */
  void *stack_pointer;
#endif
} GtxContext;

/* Returns the context to go on in when the function has ended, for good. */
typedef GtxContext *(*GtxContextEntry) (void *data);

/* Prepares @context so that the first switch to it calls @entry (@data) on the stack of @size bytes
 * that begins at @base.  The context starts with the floating-point control words of @like, a
 * context that was left, or with those of the caller if @like is NULL or GTX_CONTEXT_TAKES_CONTROL
 * is 0. */
void gtx_context_make   (GtxContext       *context,
                         void             *base,
                         size_t            size,
                         GtxContextEntry   entry,
                         void             *data,
                         const GtxContext *like);

/* Gives the caller the floating-point control words of @like, a context that was left.  Not to be
 * called if GTX_CONTEXT_TAKES_CONTROL is 0. */
void gtx_context_take_control (const GtxContext *like);

/* Saves the caller in @from and goes on in @to; returns when something switches back to @from.
 * Keeps the registers that the ABI makes callee-saved, floating-point control words included. */
void gtx_context_switch (GtxContext      *from,
                         GtxContext      *to);

#ifdef GTX_CONTEXT_UCONTEXT
#define GTX_CONTEXT_TAKES_CONTROL 0
#else
#define GTX_CONTEXT_TAKES_CONTROL 1
#endif

/* Registers by their numbers in DWARF, up to the program counter. */
#if defined (__x86_64__)
#define GTX_CONTEXT_N_REGISTERS 17
#elif defined (__aarch64__)
#define GTX_CONTEXT_N_REGISTERS 33
#else
#define GTX_CONTEXT_N_REGISTERS 1
#endif

/* Reads from @context, which was left, what its registers are when it has gone on: those that are
 * callee-saved, the stack pointer and the program counter.  Returns 0, or the number of registers
 * if they are known here. */
unsigned gtx_context_read_registers (const GtxContext *context,
                                     uintptr_t         registers[GTX_CONTEXT_N_REGISTERS]);

/* Returns the lowest address that @context, which was left, uses on its stack, or NULL if that is
 * not known. */
const void *gtx_context_get_stack_pointer (const GtxContext *context);

/* Prefetches the memory that a switch to @context needs first. */
static inline __attribute__ ((always_inline)) void
gtx_context_prefetch (const GtxContext *context)
{
#ifdef GTX_CONTEXT_UCONTEXT
#else
  const char *at = context->stack_pointer;

  for (int line = 0; line < 4; line++)
    __builtin_prefetch (at + 64 * line);
#endif
}
