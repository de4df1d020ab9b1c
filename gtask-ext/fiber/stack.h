/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stacks: cut from slabs of address space, a guard page below each, the one
 * freed last reused first. */

#pragma once

#include "fiber/announce.h"
#include "fiber/handle.h"

typedef struct _GtxStack GtxStack;
typedef struct _GtxStackPool GtxStackPool;

/* What the hooks of fibers have measured of the fiber that has the stack. */
typedef struct
{
  guint period;                 /* the one that the other fields belong to; 0: none */
  gint64 processor_time;        /* in nanoseconds */
  gint64 left_at;               /* when the fiber was left last, in microseconds; 0: it was not */
  GtxStack *outer;              /* while the fiber runs: the stack of the fiber that runs the main loop */
} GtxMeasurement;

struct _GtxStack
{
  guint8 *base;                 /* the lowest byte above the guard */
  gsize size;                   /* from @base to the top */
  GtxAnnouncement announcement;
  GtxMeasurement measurement;
};

/* A pool belongs to one thread at a time.  If no stack can be had, gtx_stack_pool_acquire ()
 * returns NULL; then *@problem, unless @problem is NULL, says why and what to do. */
GtxStackPool *gtx_stack_pool_new     (void);
void          gtx_stack_pool_free    (GtxStackPool  *pool);
GtxStack     *gtx_stack_pool_acquire (GtxStackPool  *pool,
                                      gsize          size,
                                      char         **problem);
void          gtx_stack_pool_release (GtxStackPool  *pool,
                                      GtxStack      *stack);
/* Whether gtx_stack_pool_acquire () would return a stack of the size of @stack for @size. */
gboolean      gtx_stack_pool_suits   (GtxStackPool  *pool,
                                      const GtxStack *stack,
                                      gsize          size);
gsize         gtx_stack_pool_n_used  (GtxStackPool  *pool);

/* gtx_stack_measure () returns how many bytes of @stack were touched since it was made or cleared,
 * in whole pages.  gtx_stack_clear () gives these pages back to the system, which costs more than
 * the pool's reuse of a stack. */
gsize         gtx_stack_measure      (const GtxStack *stack);
void          gtx_stack_clear        (GtxStack       *stack);

/* Whether more stacks lie free than the pool keeps for ever. */
gboolean      gtx_stack_pool_has_surplus (GtxStackPool *pool);

/* Gives stacks that were not used since the trim before back to the system.  Returns in how many
 * milliseconds the next trim is due, or 0 if nothing is left to give back. */
guint         gtx_stack_pool_trim    (GtxStackPool  *pool);

/* The stack size of tasks that name none, in bytes. */
gsize         gtx_stack_default_size     (void);
void          gtx_stack_set_default_size (gsize size);

/* Replaces the function that maps memory, for tests of a system that is out of address space.  NULL
 * restores it. */
typedef void *(*GtxStackMap) (gsize size);
void          gtx_stack_set_map      (GtxStackMap map);
