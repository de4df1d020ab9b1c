/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A fiber: a function that runs on a stack of its own and can be suspended. */

#pragma once

#include "fiber/context.h"
#include "fiber/handle.h"
#include "fiber/stack.h"

#include <errno.h>

typedef struct _GtxFiber GtxFiber;
typedef struct _GtxStep GtxStep;
typedef void (*GtxFiberFunc) (gpointer data);
typedef GtxFiber *(*GtxFiberNextFunc) (gpointer data);

typedef struct
{
  /* Makes the fiber, for gtx_fiber_new () to be given @like, and nothing of anybody's
   * runs meanwhile.  NULL where there is to be none, or with *@problem set where there
   * is none to be had. */
  GtxFiber *(*make) (GtxStep   *step,
                     GtxFiber  *like,
                     char     **problem);
  /* There is none; outside of all fibers.  Takes @problem. */
  void (*abandon) (GtxStep *step,
                   char    *problem);
} GtxStepKind;

/* What resumes a fiber when its turn comes: asyncio's Task.__step(). */
struct _GtxStep
{
  GtxHandle handle;
  GtxFiber *fiber;              /* NULL: it did not begin, or has ended */
  const GtxStepKind *kind;
};

/* Nothing of @func runs before the first resume.  When it has returned @next is
 * called, outside of all fibers though on the same stack, which returns the fiber to
 * go straight on to, and does not need this one any more then; or NULL, and then
 * @ended is called on the resumer's stack when the fiber is gone.  The pool outlives
 * the fiber.
 *
 * @like: NULL, or the fiber that runs: the new one is as if whoever resumed that one
 * had made it, in its floating-point control words.  Where that one has ended it may be
 * itself what is returned, on the stack that it has, to go straight on to. */
GtxFiber *gtx_fiber_new      (GtxStackPool      *pool,
                              gsize              stack_size,
                              GtxFiberFunc       func,
                              GtxFiberNextFunc   next,
                              GtxFiberFunc       ended,
                              gpointer           data,
                              GtxFiber          *like,
                              char             **problem);

/* Runs @fiber until it, or one that it went straight on to, suspends or ends.
 * One that runs already, below a nested main loop, goes on as soon as it would
 * suspend.  @depth: g_main_depth () here, which the caller asks once for many. */
void      gtx_fiber_resume   (GtxFiber      *fiber,
                              gint           depth);

/* Calls @func outside of all fibers, on the stack of the thread. */
void      gtx_fiber_call_outside (GtxFiberFunc func,
                                  gpointer     data);

/* The same on the stack of the fiber that runs, which @func cannot suspend: for less than two
 * switches, where nobody minds which stack it is. */
void      gtx_fiber_call_apart   (GtxFiberFunc func,
                                  gpointer     data);

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
  void (*end)   (GtxStack *stack);
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

/* ---- What each switch takes, inlined where tasks suspend ---- */

/* On the stack of the fiber that waits for it. */
typedef struct
{
  GtxFiberFunc func;
  gpointer data;
  GtxFiber *fiber;
  GtxContext context;
  GtxSwitchRecord record;
} GtxOutsideCall;

/* Whoever resumed a fiber, on its own stack: the fibers that go straight on to
 * one another all go back to it. */
typedef struct
{
  GtxContext context;
  GtxSwitchRecord record;
  GtxFiber *outer;              /* the fiber that ran */
  GtxFiber *ended;              /* the one that was left for good: whoever goes on buries it */
  GtxOutsideCall *call;         /* what a fiber wants to be called here */
  gint depth;                   /* of main loops */
} GtxResumer;

/* Lies at the top of its stack, in the page that the first frames need too. */
struct _GtxFiber
{
  GtxContext context;           /* where it goes on, while it is suspended */
  GtxResumer *resumer;          /* while it runs */
  GtxFiberFunc func;
  GtxFiberNextFunc next_func;
  GtxFiberFunc ended_func;
  gpointer data;
  GtxStackPool *pool;
  GtxStack *stack;
  gboolean came_straight;       /* from another fiber */
  gboolean goes_on;             /* it was resumed while it ran */
  GtxSwitchRecord record;
};

/* A fiber stays in its thread, so no function keeps an address of another
 * thread's variable across a switch. */
extern __thread GtxFiber *gtx_running_fiber G_GNUC_INTERNAL;

/* NULL: nothing does. */
extern const GtxFiberWatch *gtx_fiber_watch G_GNUC_INTERNAL;

/* Tells it; NULL is whoever resumes. */
void      gtx_fiber_tell_of_switch (const GtxFiber *from,
                                    const GtxFiber *to);

/* Gives back the stack of the fiber that ended when it went on to this one. */
void      gtx_fiber_bury_ended (GtxResumer *resumer);

/* The fiber that runs, or NULL outside of all; a callback that a main loop
 * nested in a fiber dispatches is outside, though it runs on the same stack. */
static inline GtxFiber *
gtx_fiber_current (void)
{
  GtxFiber *fiber = gtx_running_fiber;

  return fiber && fiber->resumer->depth == g_main_depth () ? fiber : NULL;
}

static inline gpointer
gtx_fiber_get_data (const GtxFiber *fiber)
{
  return fiber->data;
}

/* Whether gtx_fiber_leave_to_parent () was called while @fiber ran. */
static inline gboolean
gtx_fiber_is_parents (const GtxFiber *fiber)
{
  return gtx_running_fiber != fiber;
}

static inline gboolean
gtx_fiber_is_running (const GtxFiber *fiber)
{
  return fiber->resumer != NULL;
}

/* Whether @fiber, which runs, was resumed meanwhile: it is not to suspend. */
static inline gboolean
gtx_fiber_goes_on (GtxFiber *fiber)
{
  if (G_LIKELY (!fiber->goes_on))
    return FALSE;
  fiber->goes_on = FALSE;
  return TRUE;
}

/* Asks for the memory that @fiber, which is suspended, needs first. */
static G_ALWAYS_INLINE inline void
gtx_fiber_prefetch (const GtxFiber *fiber)
{
  gtx_context_prefetch (&fiber->context);
}

/* @fiber, which runs, is about to be left for @next, or where that is NULL for
 * whoever resumed it.  @record: its own, or NULL where it is left for good, and
 * what watches was told.  Returns where to go on. */
static G_ALWAYS_INLINE inline GtxContext *
gtx_fiber_leave (GtxFiber        *fiber,
                 GtxFiber        *next,
                 GtxSwitchRecord *record)
{
  GtxResumer *resumer = fiber->resumer;

  if (next == NULL)
    {
      gtx_announce_leave (record, resumer->record.asan_bottom, resumer->record.asan_size,
                          resumer->record.tsan_fiber);
      return &resumer->context;
    }
  g_assert (next->resumer == NULL);
  if (G_UNLIKELY (gtx_fiber_watch != NULL))
    gtx_fiber_tell_of_switch (record ? fiber : NULL, next);
  next->resumer = resumer;
  next->came_straight = TRUE;
  fiber->resumer = NULL;
  gtx_running_fiber = next;
  gtx_announce_leave (record, next->stack->base, next->stack->size, next->stack->announcement.tsan_fiber);
  return &next->context;
}

/* @fiber goes on.  @record: as it was when it was left; NULL: it begins. */
static G_ALWAYS_INLINE inline void
gtx_fiber_arrive (GtxFiber        *fiber,
                  GtxSwitchRecord *record)
{
  gtx_announce_enter (record, fiber->came_straight ? NULL : &fiber->resumer->record);
  if (fiber->resumer->ended)
    gtx_fiber_bury_ended (fiber->resumer);
}

/* Goes straight on to @next, which is suspended or has not begun, or where that
 * is NULL back to whoever resumed the fiber that runs. */
static G_ALWAYS_INLINE inline void
gtx_fiber_suspend (GtxFiber *fiber,
                   GtxFiber *next)
{
  int saved_errno = errno;

  g_assert (gtx_running_fiber == fiber);
  g_assert (!fiber->goes_on);
  gtx_context_switch (&fiber->context, gtx_fiber_leave (fiber, next, &fiber->record));
  gtx_fiber_arrive (fiber, &fiber->record);
  errno = saved_errno;
}
