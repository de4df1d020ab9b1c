/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The context switch where there is no assembly for the processor. */

#include "fiber/context.h"

#include <glib.h>
#include <stdint.h>

/* A debugger need not look for a caller: there is none. */
#if !defined (__GCC_HAVE_DWARF2_CFI_ASM)
#define FIRST_FRAME()
#elif defined (__x86_64__)
#define FIRST_FRAME() __asm__ volatile (".cfi_undefined rip")
#elif defined (__aarch64__)
#define FIRST_FRAME() __asm__ volatile (".cfi_undefined x30")
#else
#define FIRST_FRAME()
#endif

/* makecontext () passes ints: a pointer travels in two. */
static void
start (unsigned int entry_high,
       unsigned int entry_low,
       unsigned int data_high,
       unsigned int data_low)
{
  uintptr_t entry = (uintptr_t) ((uint64_t) entry_high << 32 | entry_low);
  uintptr_t data = (uintptr_t) ((uint64_t) data_high << 32 | data_low);

  FIRST_FRAME ();
  setcontext (&((GtxContextEntry) entry) ((void *) data)->ucontext);
  g_assert_not_reached ();
}

void
gtx_context_make (GtxContext       *context,
                  void             *base,
                  size_t            size,
                  GtxContextEntry   entry,
                  void             *data,
                  const GtxContext *like)
{
  uint64_t entry_bits = (uintptr_t) entry;
  uint64_t data_bits = (uintptr_t) data;

  getcontext (&context->ucontext);
  context->ucontext.uc_stack.ss_sp = base;
  context->ucontext.uc_stack.ss_size = size;
  context->ucontext.uc_link = NULL;
  makecontext (&context->ucontext, (void (*) (void)) start, 4,
               (unsigned int) (entry_bits >> 32), (unsigned int) entry_bits,
               (unsigned int) (data_bits >> 32), (unsigned int) data_bits);
}

void
gtx_context_take_control (const GtxContext *like)
{
  g_assert_not_reached ();
}

void
gtx_context_switch (GtxContext *from,
                    GtxContext *to)
{
  swapcontext (&from->ucontext, &to->ucontext);
}
