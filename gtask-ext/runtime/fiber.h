/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A fiber: a function that runs on a stack of its own and can be suspended. */

#pragma once

#include "handle.h"
#include "stack.h"

typedef struct _GtxFiber GtxFiber;
typedef void (*GtxFiberFunc) (gpointer data);

/* What resumes a fiber when its turn comes: asyncio's Task.__step(). */
typedef struct
{
  GtxHandle handle;
  GtxFiber *fiber;              /* NULL: it did not begin, or has ended */
} GtxStep;

/* Nothing of @func runs before the first resume.  When it has returned, and the
 * fiber is gone, @ended is called on the resumer's stack, if it is not NULL.
 * The pool outlives the fiber. */
GtxFiber *gtx_fiber_new      (GtxStackPool  *pool,
                              gsize          stack_size,
                              GtxFiberFunc   func,
                              GtxFiberFunc   ended,
                              gpointer       data,
                              GError       **error);

/* Runs @fiber until it, or one that it went straight on to, suspends or ends.
 * One that runs already, below a nested main loop, goes on as soon as it would
 * suspend.  @depth: g_main_depth () here, which the caller asks once for many. */
void      gtx_fiber_resume   (GtxFiber      *fiber,
                              gint           depth);

/* Whether @fiber, which runs, was resumed meanwhile: it is not to suspend. */
gboolean  gtx_fiber_goes_on  (GtxFiber      *fiber);

/* Goes straight on to @next, which was suspended and has begun, or where that
 * is NULL back to whoever resumed the fiber that runs. */
void      gtx_fiber_suspend  (GtxFiber      *fiber,
                              GtxFiber      *next);

/* Asks for the memory that @fiber, which is suspended, needs first. */
void      gtx_fiber_prefetch (const GtxFiber *fiber);

/* The fiber that runs, or NULL outside of all; a callback that a main loop
 * nested in a fiber dispatches is outside, though it runs on the same stack. */
GtxFiber *gtx_fiber_current  (void);
gpointer  gtx_fiber_get_data (GtxFiber      *fiber);
gboolean  gtx_fiber_is_running (GtxFiber    *fiber);

/* What watches all fibers, each in its thread, where the program asked for it;
 * @data is the fiber's.  Nothing is awaited in it. */
typedef struct
{
  /* The fiber is to have @stack, which is as its last user left it. */
  void (*begin) (GtxStack *stack,
                 gpointer  data);
  /* Some fiber runs from now on. */
  void (*enter) (void);
  /* That of @data does not any more. */
  void (*leave) (gpointer  data);
  /* It has ended, and its stack is not reused yet. */
  void (*end)   (GtxStack *stack,
                 gpointer  data);
} GtxFiberWatch;

/* Set before there are fibers, for good. */
void      gtx_fiber_set_watch  (const GtxFiberWatch *watch);

/* For a handler of signals: whether @address is in the guard of the stack of
 * the fiber that runs, and which that is.  @stack_size: guard included. */
gboolean  gtx_fiber_find_overflow (const void *address,
                                   gpointer   *data,
                                   gsize      *stack_size);

/* In the child of a fork (): the fiber that runs is the parent's, and what runs
 * on its stack from here on is outside of all. */
void      gtx_fiber_leave_to_parent (void);
/* Whether that happened while @fiber ran. */
gboolean  gtx_fiber_is_parents (GtxFiber    *fiber);
