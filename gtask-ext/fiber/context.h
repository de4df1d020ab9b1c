/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The context switch: one flow of control is put aside, another goes on. */

#pragma once

#include <stddef.h>

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

/* Returns where to go on, for good. */
typedef GtxContext *(*GtxContextEntry) (void *data);

/* Prepares @context so that the first switch to it calls @entry (@data) on
 * the stack of @size bytes that begins at @base.  It begins
 * with the floating-point control words of @like, which was left, or with those of
 * the caller where that is NULL or GTX_CONTEXT_TAKES_CONTROL is 0. */
void gtx_context_make   (GtxContext       *context,
                         void             *base,
                         size_t            size,
                         GtxContextEntry   entry,
                         void             *data,
                         const GtxContext *like);

/* The control words of the caller are from here on those of @like, which was left;
 * not where GTX_CONTEXT_TAKES_CONTROL is 0. */
void gtx_context_take_control (const GtxContext *like);

/* Goes on in @to; returns when something switches back to @from.  Keeps what
 * the ABI calls the callee's, floating-point control words included. */
void gtx_context_switch (GtxContext      *from,
                         GtxContext      *to);

#ifdef GTX_CONTEXT_UCONTEXT
#define GTX_CONTEXT_TAKES_CONTROL 0
#else
#define GTX_CONTEXT_TAKES_CONTROL 1
#endif

/* Asks for the memory that going on in @context needs first. */
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
