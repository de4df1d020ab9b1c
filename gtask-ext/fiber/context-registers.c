/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the registers of a context are that was left, for code that shows its calls. */

#include "fiber/context.h"

#include <string.h>

#ifdef GTX_CONTEXT_UCONTEXT

/* The C library's layouts differ. */
unsigned
gtx_context_read_registers (const GtxContext *context,
                            uintptr_t         registers[GTX_CONTEXT_N_REGISTERS])
{
  return 0;
}

const void *
gtx_context_get_stack_pointer (const GtxContext *context)
{
  return NULL;
}

#else

#if defined (__x86_64__)

/* The frame is described in context-x86_64.S. */
#define FRAME 64

unsigned
gtx_context_read_registers (const GtxContext *context,
                            uintptr_t         registers[GTX_CONTEXT_N_REGISTERS])
{
  const uintptr_t *frame = context->stack_pointer;

  memset (registers, 0, GTX_CONTEXT_N_REGISTERS * sizeof registers[0]);
  registers[12] = frame[1];
  registers[13] = frame[2];
  registers[14] = frame[3];
  registers[15] = frame[4];
  registers[3] = frame[5];                      /* rbx */
  registers[6] = frame[6];                      /* rbp */
  registers[7] = (uintptr_t) frame + FRAME;     /* rsp */
  registers[16] = frame[7];                     /* rip */
  return GTX_CONTEXT_N_REGISTERS;
}

#elif defined (__aarch64__)

/* The frame is described in context-aarch64.S. */
#define FRAME 176

/* Strips the signature from a return address; a hint that older processors pass over. */
static uintptr_t
strip (uintptr_t address)
{
  register uintptr_t x30 __asm__ ("x30") = address;

  __asm__ ("hint #7" : "+r" (x30));
  return x30;
}

unsigned
gtx_context_read_registers (const GtxContext *context,
                            uintptr_t         registers[GTX_CONTEXT_N_REGISTERS])
{
  const uintptr_t *frame = context->stack_pointer;

  memset (registers, 0, GTX_CONTEXT_N_REGISTERS * sizeof registers[0]);
  for (unsigned i = 0; i < 12; i++)
    registers[19 + i] = frame[i];
  registers[31] = (uintptr_t) frame + FRAME;    /* sp */
  registers[32] = strip (frame[11]);            /* pc */
  return GTX_CONTEXT_N_REGISTERS;
}

#endif

const void *
gtx_context_get_stack_pointer (const GtxContext *context)
{
  return context->stack_pointer;
}

#endif
